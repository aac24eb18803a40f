// Our names for Asio: the executor is fixed once, as io_context's own (never type-erased).
// Everything off the data path is an `awaitable<T>`; the data path uses net/task.hpp.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gw {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

template <class T>
using awaitable = asio::awaitable<T, Executor>;

using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

// auto [ec, n] = co_await socket.async_read_some(buffer, no_throw);
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> no_throw{asio::use_awaitable_t<Executor>{}};
inline constexpr asio::use_awaitable_t<Executor> may_throw{};

} // namespace gw
