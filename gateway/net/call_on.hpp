// Runs a coroutine on another io_context and resumes the caller on its own: how many workers share connections
// whose sockets belong to one thread.
//
//   awaitable<result<Answer>> asking = call_on(client_context, client.ask(std::move(question)));
//   co_await std::move(asking);
//
// `work` runs to its end even if the caller is cancelled meanwhile (it must have a deadline of its own), so what it
// was given by reference must be the callee's, or owned by its frame. Exceptions travel to the caller. Both
// contexts must outlive the call; the other must be run by somebody.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace gw {

namespace detail {

template <class T>
struct CallState {
    std::optional<T> value;
    std::exception_ptr error;
};

template <class T>
awaitable<void> fill(awaitable<T> work, std::shared_ptr<CallState<T>> state)
{
    T value = co_await std::move(work);
    state->value.emplace(std::move(value));
}

} // namespace detail

template <class T>
awaitable<T> call_on(asio::io_context& context, awaitable<T> work)
{
    const Executor own = co_await asio::this_coro::executor;
    auto state = std::make_shared<detail::CallState<T>>();
    auto initiate = [&context, &work, state, own](auto handler) {
        auto finish = [state, own, keep = asio::make_work_guard(own), handler = std::move(handler)](std::exception_ptr error) mutable {
            state->error = std::move(error);
            // The guard goes along, as in offload.hpp.
            asio::post(own, [handler = std::move(handler), keep = std::move(keep)]() mutable { std::move(handler)(); });
        };
        asio::co_spawn(context, detail::fill(std::move(work), state), std::move(finish));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(initiate, may_throw);
    if (state->error)
        std::rethrow_exception(state->error);
    co_return std::move(*state->value);
}

} // namespace gw
