// See tls.hpp.
#include "net/tls.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace gw {

namespace {

namespace ssl = boost::asio::ssl;

void require(const boost::system::error_code& ec, const std::string& what)
{
    if (ec)
        throw std::runtime_error{what + ": " + ec.message()};
}

void load_trust(ssl::context& context, const TlsClientOptions& options)
{
    boost::system::error_code ec;
    if (options.ca_file.empty()) {
        context.set_default_verify_paths(ec);
        require(ec, "the system's certificate authorities cannot be loaded");
    } else {
        context.load_verify_file(options.ca_file, ec);
        require(ec, "the certificate authorities in " + options.ca_file + " cannot be loaded");
    }
}

void load_identity(ssl::context& context, const TlsClientOptions& options)
{
    if (options.certificate.empty())
        return;
    boost::system::error_code ec;
    context.use_certificate_chain_file(options.certificate, ec);
    require(ec, "the certificate in " + options.certificate + " cannot be used");
    context.use_private_key_file(options.key, ssl::context::pem, ec);
    require(ec, "the private key in " + options.key + " cannot be used");
}

} // namespace

TlsContext make_tls_client_context(const TlsClientOptions& options)
{
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX* const native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    // Received plaintext is wiped once it was handed over; idle connections give their buffers back.
    SSL_CTX_set_options(native, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    context->set_verify_mode(options.verify ? ssl::verify_peer : ssl::verify_none);
    if (options.verify)
        load_trust(*context, options);
    load_identity(*context, options);
    return context;
}

void expect_tls_host(SSL* connection, const std::string& host)
{
    boost::system::error_code ec;
    boost::asio::ip::make_address(host, ec);
    const bool is_literal = !ec;
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool expected = is_literal ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1
                                     : SSL_set1_host(connection, host.c_str()) == 1;
    if (!expected || (!is_literal && SSL_set_tlsext_host_name(connection, host.c_str()) != 1))
        throw std::runtime_error{"'" + host + "' is no host name"};
}

std::string tls_failure(const SSL* connection, const std::string& otherwise)
{
    const long verdict = SSL_get_verify_result(connection);
    if (verdict == X509_V_OK)
        return otherwise;
    return std::string{"the server's certificate was refused: "} + X509_verify_cert_error_string(verdict);
}

} // namespace gw
