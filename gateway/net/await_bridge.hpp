// Lets a Task of the data path await what the stores offer, an Asio awaitable, on the worker's own io_context.
// For the slow path only: it allocates.
#pragma once

#include "net/asio.hpp"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace gw {

template <class T>
class FromAwaitable {
public:
    FromAwaitable(Executor executor, awaitable<T> work) : executor_(std::move(executor)), work_(std::move(work)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller)
    {
        caller_ = caller;
        asio::co_spawn(executor_, run(std::move(work_), value_), [this](std::exception_ptr error) {
            error_ = std::move(error);
            caller_.resume();
        });
    }
    T await_resume()
    {
        if (error_)
            std::rethrow_exception(error_);
        return std::move(*value_);
    }

private:
    static awaitable<void> run(awaitable<T> work, std::optional<T>& value)
    {
        T result = co_await std::move(work);
        value.emplace(std::move(result));
    }

    Executor executor_;
    awaitable<T> work_;
    std::optional<T> value_;
    std::exception_ptr error_;
    std::coroutine_handle<> caller_;
};

template <>
class FromAwaitable<void> {
public:
    FromAwaitable(Executor executor, awaitable<void> work) : executor_(std::move(executor)), work_(std::move(work)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller)
    {
        caller_ = caller;
        asio::co_spawn(executor_, std::move(work_), [this](std::exception_ptr error) {
            error_ = std::move(error);
            caller_.resume();
        });
    }
    void await_resume()
    {
        if (error_)
            std::rethrow_exception(error_);
    }

private:
    Executor executor_;
    awaitable<void> work_;
    std::exception_ptr error_;
    std::coroutine_handle<> caller_;
};

} // namespace gw
