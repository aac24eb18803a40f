// Runs one coroutine to its end on the calling thread and returns what it returned; what it threw is thrown
// here. For start-up, the command line and tests.
//
//   const auto found = run(keys.find(id));
//
// Work given to a BlockingPool is waited for. A coroutine that can never finish is an exception, not a hang.
#pragma once

#include "net/asio.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace gw {

namespace detail {

template <class T>
awaitable<void> keep_result(awaitable<T> work, std::optional<T>& out)
{
    T value = co_await std::move(work);
    out.emplace(std::move(value));
}

} // namespace detail

// On a context of the caller's, so that what the coroutine left behind there (timers, sockets) stays usable.
inline void run(asio::io_context& context, awaitable<void> work)
{
    bool finished = false;
    std::exception_ptr error;
    asio::co_spawn(context.get_executor(), std::move(work), [&](std::exception_ptr thrown) {
        finished = true;
        error = thrown;
    });
    context.restart();
    while (!finished && context.run_one() != 0) {
    }
    if (error)
        std::rethrow_exception(error);
    if (!finished)
        throw std::logic_error("the coroutine waits for something that never happens");
}

template <class T>
    requires(!std::is_void_v<T>)
T run(asio::io_context& context, awaitable<T> work)
{
    std::optional<T> out;
    run(context, detail::keep_result(std::move(work), out));
    return std::move(*out);
}

// On a context of its own.
template <class T>
T run(awaitable<T> work)
{
    asio::io_context context{1};
    return run(context, std::move(work));
}

} // namespace gw
