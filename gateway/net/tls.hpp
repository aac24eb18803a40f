// TLS as a client: what is trusted, and whom one means to talk to. A context is made once from the settings and
// shared by all connections that it fits; it is immutable afterwards, so connections of several threads may use it.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace gw {

struct TlsClientOptions {
    std::string ca_file;             // PEM, one certificate or more; empty: what the system trusts
    std::string certificate, key;    // PEM files with which this side authenticates itself; empty: it does not
    bool verify = true;              // false: any certificate will do, which protects from listeners only
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// TLS 1.2 and later. Throws std::runtime_error that names the file which cannot be used.
TlsContext make_tls_client_context(const TlsClientOptions& options);

// Prepares one connection's handshake: the server must prove to be `host` (a name or an IP literal), and is told
// which name is meant (SNI; not for literals, RFC 6066 section 3). Throws std::runtime_error if `host` is neither.
void expect_tls_host(SSL* connection, const std::string& host);

// Why the last handshake on `connection` failed, for a log: what was wrong with the certificate, else `otherwise`.
std::string tls_failure(const SSL* connection, const std::string& otherwise);

} // namespace gw
