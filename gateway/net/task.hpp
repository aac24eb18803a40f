// The data path's coroutine: lazy, awaited by exactly one caller, resumed by symmetric transfer, its frame from
// FramePool. It knows nothing of Asio; awaiters in net/stream.hpp start operations and resume it.
//
// A Task must not be destroyed while it is suspended inside an operation: cancel the operation and let it end.
#pragma once

#include "net/frame_pool.hpp"

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace gw {

template <class T>
class Task;

namespace detail {

struct PooledFrame {
    static void* operator new(std::size_t size) { return FramePool::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { FramePool::release(frame, size); }
};

struct TaskPromiseBase : PooledFrame {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::exception_ptr error;

    struct ResumeCaller {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept
        {
            return ended.promise().continuation;
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    ResumeCaller final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
    std::optional<T> value;

    Task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& result)
    {
        value.emplace(std::forward<U>(result));
    }
    T take()
    {
        if (error)
            std::rethrow_exception(error);
        return std::move(*value);
    }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take()
    {
        if (error)
            std::rethrow_exception(error);
    }
};

} // namespace detail

template <class T = void>
class [[nodiscard]] Task {
public:
    using promise_type = detail::TaskPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&&) = delete;
    ~Task()
    {
        if (handle_)
            handle_.destroy();
    }

    class Awaiter {
    public:
        explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const noexcept
        {
            handle_.promise().continuation = caller;
            return handle_;
        }
        T await_resume() const { return handle_.promise().take(); }

    private:
        Handle handle_;
    };
    Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }

private:
    Handle handle_;
};

namespace detail {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept
{
    return Task<T>{std::coroutine_handle<TaskPromise<T>>::from_promise(*this)};
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept
{
    return Task<void>{std::coroutine_handle<TaskPromise<void>>::from_promise(*this)};
}

// Starts at once and frees itself at its end: the bottom of a stack of Tasks.
struct Root {
    struct promise_type : PooledFrame {
        Root get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); } // bodies below catch everything
    };
};

} // namespace detail

// The tasks of one worker that nobody awaits: counts them, and reports what escapes them. One thread.
// Destroyed only when idle.
class TaskGroup {
public:
    // Runs `task` until its first suspension, then whenever its operations complete.
    void spawn(Task<void> task)
    {
        ++running_;
        run(*this, std::move(task));
    }
    std::size_t running() const noexcept { return running_; }

    std::function<void()> on_idle;                     // called when the last task ends
    std::function<void(std::exception_ptr)> on_escape; // an exception that left a task

private:
    static detail::Root run(TaskGroup& group, Task<void> task)
    {
        try {
            co_await std::move(task);
        } catch (...) {
            if (group.on_escape)
                group.on_escape(std::current_exception());
        }
        if (--group.running_ == 0 && group.on_idle)
            group.on_idle();
    }

    std::size_t running_ = 0;
};

// A task that runs beside its parent. The parent must co_await join() before this object dies.
template <class T>
class Fork {
public:
    Fork() = default;
    Fork(const Fork&) = delete;
    Fork& operator=(const Fork&) = delete;

    void start(Task<T> task)
    {
        started_ = true;
        run(*this, std::move(task));
    }
    bool started() const noexcept { return started_; }
    bool is_done() const noexcept { return value_.has_value() || error_ != nullptr; }
    // Valid when done.
    const T& value() const noexcept { return *value_; }

    class Join {
    public:
        explicit Join(Fork& fork) noexcept : fork_(fork) {}
        bool await_ready() const noexcept { return fork_.is_done(); }
        void await_suspend(std::coroutine_handle<> parent) const noexcept { fork_.parent_ = parent; }
        T await_resume() const
        {
            if (fork_.error_)
                std::rethrow_exception(fork_.error_);
            return *fork_.value_;
        }

    private:
        Fork& fork_;
    };
    Join join() noexcept { return Join{*this}; }

private:
    static detail::Root run(Fork& fork, Task<T> task)
    {
        try {
            T value = co_await std::move(task);
            fork.value_.emplace(std::move(value));
        } catch (...) {
            fork.error_ = std::current_exception();
        }
        // The parent may end, and with it the fork, inside this call: nothing of it is touched afterwards.
        if (fork.parent_)
            fork.parent_.resume();
    }

    std::optional<T> value_;
    std::exception_ptr error_;
    std::coroutine_handle<> parent_;
    bool started_ = false;
};

} // namespace gw
