// See transport.hpp.
#include "adapters/redis/transport.hpp"

#include "net/tls.hpp"

#include <boost/asio/connect.hpp>

#include <vector>

namespace gw::redis {
awaitable<std::string> Transport::connect(const Server& server)
{
    boost::system::error_code ec;
    std::vector<Tcp::endpoint> endpoints;
    const auto literal = asio::ip::make_address(server.host, ec);
    if (!ec) {
        endpoints.emplace_back(literal, server.port);
    } else {
        // Asio looks names up on a thread of its own.
        auto [failed, found] =
            co_await resolver_.async_resolve(server.host, std::to_string(server.port), no_throw);
        if (failed)
            co_return "cannot resolve the name: " + failed.message();
        for (const auto& entry : found)
            endpoints.push_back(entry.endpoint());
    }
    if (closed_)
        co_return "given up";
    auto [failed, endpoint] = co_await asio::async_connect(socket_, endpoints, no_throw);
    if (failed || closed_)
        co_return failed ? failed.message() : "given up";
    socket_.set_option(Tcp::no_delay(true), ec);
    socket_.set_option(asio::socket_base::keep_alive(true), ec);
    if (tls_context_ == nullptr)
        co_return std::string{};
    co_return co_await shake_hands(server.host);
}

awaitable<std::string> Transport::shake_hands(const std::string& host)
{
    tls_.emplace(socket_, *tls_context_);
    expect_tls_host(tls_->native_handle(), host); // throws for what is no name; the connection says so
    auto [failed] = co_await tls_->async_handshake(asio::ssl::stream_base::client, no_throw);
    if (failed)
        co_return "TLS: " + tls_failure(tls_->native_handle(), failed.message());
    co_return std::string{};
}

void Transport::close() noexcept
{
    closed_ = true;
    boost::system::error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
}

} // namespace gw::redis
