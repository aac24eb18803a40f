// Runs a blocking call on the blocking pool and resumes on the caller's worker.
//
//   auto rows = co_await offload(pool, [&] { return database.query(...); });
//
// The callable runs on a pool thread while the caller is suspended, so captures by reference are safe.
// Exceptions travel to the caller. Write the lambda on its own line first if it captures anything with a
// destructor by value: g++ 12.2 miscompiles it inside a co_await statement (STYLE.md section 7).
#pragma once

#include "net/asio.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace gw {

using BlockingPool = asio::thread_pool;

namespace detail {

// Waits on a timer that never fires by itself: the pool thread posts the wake-up to the caller's executor.
template <class F>
struct OffloadState {
    using Value = std::invoke_result_t<F&>;
    std::conditional_t<std::is_void_v<Value>, bool, std::optional<Value>> value{};
    std::exception_ptr error;
};

} // namespace detail

// `pool` may be any execution context: a worker's io_context runs the callable on that worker's thread.
template <class Context, class F>
awaitable<std::invoke_result_t<F&>> offload(Context& pool, F work)
{
    using Value = std::invoke_result_t<F&>;
    detail::OffloadState<F> state;
    const Executor executor = co_await asio::this_coro::executor;
    auto initiate = [&state, &work, &pool, executor](auto handler) {
        asio::post(pool, [&state, &work, executor, keep = asio::make_work_guard(executor),
                          handler = std::move(handler)]() mutable {
            try {
                if constexpr (std::is_void_v<Value>)
                    work();
                else
                    state.value.emplace(work());
            } catch (...) {
                state.error = std::current_exception();
            }
            // The guard goes along: if this thread released it, the context might be found out of work, and
            // stopped, behind the back of whoever runs it next.
            asio::post(executor, [handler = std::move(handler), keep = std::move(keep)]() mutable { std::move(handler)(); });
        });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(initiate, may_throw);
    if (state.error)
        std::rethrow_exception(state.error);
    if constexpr (!std::is_void_v<Value>)
        co_return std::move(*state.value);
}

} // namespace gw
