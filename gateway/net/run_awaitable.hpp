// Runs one coroutine to its end on the calling thread and returns what it returned; what it threw is thrown
// here. For start-up, the command line and tests.
//
//   const auto found = run(keys.find(id));
//
// Work given to a BlockingPool is waited for. A coroutine that can never finish is an exception, not a hang.
#pragma once

#include "net/asio.hpp"

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace gw {

namespace detail {

template <class T>
awaitable<void> keep_result(awaitable<T> work, std::optional<T>& out)
{
    T value = co_await std::move(work);
    out.emplace(std::move(value));
}

// A context from a store that is never destroyed: the pool thread that woke the coroutine may still be
// letting go of the context when run() returns.
class LastingContext {
public:
    LastingContext()
    {
        const std::lock_guard lock{shared().mutex};
        if (shared().idle.empty())
            shared().idle.push_back(std::make_unique<asio::io_context>(1));
        context_ = std::move(shared().idle.back());
        shared().idle.pop_back();
    }
    LastingContext(const LastingContext&) = delete;
    LastingContext& operator=(const LastingContext&) = delete;
    ~LastingContext()
    {
        const std::lock_guard lock{shared().mutex};
        shared().idle.push_back(std::move(context_));
    }
    asio::io_context& get() noexcept { return *context_; }

private:
    struct Shared {
        std::mutex mutex;
        std::vector<std::unique_ptr<asio::io_context>> idle;
    };
    static Shared& shared()
    {
        static Shared& forever = *new Shared;
        return forever;
    }
    std::unique_ptr<asio::io_context> context_;
};

} // namespace detail

// On a context of the caller's, so that what the coroutine left behind there (timers, sockets) stays usable.
// If it uses a BlockingPool, the pool must be joined before the context is destroyed.
inline void run(asio::io_context& context, awaitable<void> work)
{
    bool finished = false;
    std::exception_ptr error;
    asio::co_spawn(context.get_executor(), std::move(work), [&](std::exception_ptr thrown) {
        finished = true;
        error = thrown;
    });
    // A pool thread that lets go of the context late may stop it once for nothing.
    for (int stops = 0; !finished && stops < 3; ++stops) {
        context.restart();
        while (!finished && context.run_one() != 0) {
        }
    }
    if (error)
        std::rethrow_exception(error);
    if (!finished)
        throw std::logic_error("the coroutine waits for something that never happens");
}

template <class T>
requires(!std::is_void_v<T>) T run(asio::io_context& context, awaitable<T> work)
{
    std::optional<T> out;
    run(context, detail::keep_result(std::move(work), out));
    return std::move(*out);
}

// On a context that nothing else uses meanwhile. Any thread.
template <class T>
T run(awaitable<T> work)
{
    detail::LastingContext context;
    return run(context.get(), std::move(work));
}

} // namespace gw
