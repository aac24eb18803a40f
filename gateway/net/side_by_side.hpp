// Runs the same work for many things, a few at a time, and returns when all of it is done.
//
//   const auto write_one = [&](std::size_t i) { return write(entries[i]); };
//   co_await side_by_side(entries.size(), 16, write_one);
//
// `work(i)` returns an awaitable<void>; what it refers to outlives the await. One executor, so the pieces of work
// never run at the same instant: they wait side by side. The first exception is thrown after all have ended.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>

namespace gw {

namespace detail {

template <class Work>
awaitable<void> take_turns(std::size_t& next, std::size_t count, Work& work)
{
    while (next < count) {
        awaitable<void> one = work(next++);
        co_await std::move(one);
    }
}

} // namespace detail

template <class Work>
awaitable<void> side_by_side(std::size_t count, std::size_t width, Work work)
{
    const Executor executor = co_await asio::this_coro::executor;
    Timer all_done{executor, Timer::time_point::max()}; // never fires; cancelled by the last one
    std::size_t next = 0, running = std::min(count, width);
    std::exception_ptr error;
    const auto ended = [&](std::exception_ptr thrown) {
        if (thrown && !error)
            error = thrown;
        if (--running == 0)
            all_done.cancel();
    };
    for (std::size_t i = running; i > 0; --i)
        asio::co_spawn(executor, detail::take_turns(next, count, work), ended);
    while (running != 0)
        co_await all_done.async_wait(no_throw);
    if (error)
        std::rethrow_exception(error);
}

} // namespace gw
