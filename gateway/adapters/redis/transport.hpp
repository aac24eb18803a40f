// The socket of one connection to Redis, plain or TLS.
#pragma once

#include "adapters/redis/options.hpp"
#include "net/asio.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <optional>
#include <string>

namespace gw::redis {

class Transport {
public:
    // `tls` must outlive the transport; null: plain.
    Transport(Executor executor, asio::ssl::context* tls)
        : socket_(executor), resolver_(executor), tls_context_(tls)
    {
    }

    // Resolves, connects, and shakes hands. Empty when connected, else what is wrong. The transport must stay
    // until it returns; close() ends it.
    awaitable<std::string> connect(const Server& server);
    void close() noexcept;

    bool is_tls() const noexcept { return tls_.has_value(); }
    Socket& socket() noexcept { return socket_; }
    asio::ssl::stream<Socket&>& tls() noexcept { return *tls_; }

private:
    awaitable<std::string> shake_hands(const std::string& host);

    Socket socket_;
    asio::ip::basic_resolver<Tcp, Executor> resolver_;
    asio::ssl::context* tls_context_;
    std::optional<asio::ssl::stream<Socket&>> tls_;
    bool closed_ = false;
};

} // namespace gw::redis
