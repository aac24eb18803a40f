// See transport.hpp.
#include "adapters/redis/transport.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

#include <stdexcept>
#include <vector>

namespace gw::redis {
namespace {

void must(const boost::system::error_code& ec, const std::string& what)
{
    if (ec)
        throw std::runtime_error{"stores.limits.redis.tls: " + what + ": " + ec.message()};
}

} // namespace

std::unique_ptr<asio::ssl::context> make_tls_context(const TlsOptions& options)
{
    auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
    boost::system::error_code ec;
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                             asio::ssl::context::no_tlsv1_1,
                         ec);
    must(ec, "cannot ask for TLS 1.2");
    if (options.ca.empty())
        context->set_default_verify_paths(ec);
    else
        context->load_verify_file(options.ca, ec);
    must(ec, "cannot use the authorities in " + (options.ca.empty() ? "the system's store" : options.ca));
    if (!options.certificate.empty()) {
        context->use_certificate_chain_file(options.certificate, ec);
        must(ec, "cannot use the certificate in " + options.certificate);
        context->use_private_key_file(options.key, asio::ssl::context::pem, ec);
        must(ec, "cannot use the key in " + options.key);
    }
    context->set_verify_mode(asio::ssl::verify_peer, ec);
    must(ec, "cannot verify");
    return context;
}

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
    boost::system::error_code ec;
    boost::system::error_code not_literal;
    asio::ip::make_address(host, not_literal);
    if (not_literal &&
        SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1) // SNI is for names only
        co_return "TLS: the server's name cannot be sent";
    tls_->set_verify_callback(asio::ssl::host_name_verification{host}, ec);
    if (ec)
        co_return "TLS: " + ec.message();
    auto [failed] = co_await tls_->async_handshake(asio::ssl::stream_base::client, no_throw);
    if (failed)
        co_return "TLS: " + failed.message();
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
