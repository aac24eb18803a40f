// A small HTTP/1.1 client for stores and webhooks, over plain TCP or TLS: one object for each origin. Not for the
// data path (that is net/upstream_pool.hpp).
//
// Connections are kept and used again, last used first. Every call has a deadline that covers all of it: waiting for
// a connection, resolving, connecting, the handshake, sending and receiving. A request is sent a second time only
// if the connection had been used before, was found closed before any byte of a response, and the method is
// idempotent (RFC 9110 section 9.2.2). Resolving happens on a thread of Asio's own; a resolver that hangs costs the
// call its deadline and nothing else.
//
// Everything runs on the executor given: calls, timers and sockets, so there are no locks. Callers on other
// executors come through net/call_on.hpp. A call that is cancelled closes its connection.
#pragma once

#include "net/asio.hpp"
#include "net/tls.hpp"
#include "net/waiting_list.hpp"
#include "net/wiped_string.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gw {

class HttpConnection;

struct HttpClientOptions {
    std::string host; // a name or an IP literal (IPv6 without brackets)
    std::uint16_t port = 80;
    TlsContext tls;   // empty: plain HTTP
    std::chrono::milliseconds connect{1000}; // one address: connecting and the handshake
    std::chrono::milliseconds keep_idle{30'000};
    std::chrono::milliseconds keep_addresses{30'000}; // resolved ones; older ones serve while resolving fails
    std::size_t max_connections = 16; // calls beyond them wait within their deadlines
    std::size_t max_head_bytes = 16 * 1024;
    std::size_t max_body_bytes = 1024 * 1024;
};

struct HttpField {
    std::string name;
    WipedString value; // no line breaks: the caller vouches for it
};

struct HttpRequest {
    std::string method = "GET"; // upper case
    std::string target = "/";   // in the form that is sent
    std::vector<HttpField> fields; // besides Host, Content-Length and Connection
    WipedString body;
};

struct HttpReply {
    // What went wrong, if anything; then nothing below but `sent` and `detail` means anything. timed_out: the
    // deadline passed. Otherwise Asio's, OpenSSL's or Beast's code of the operation that failed.
    boost::system::error_code ec;
    std::string detail;      // for a log: which step failed, and what was wrong with the certificate
    bool sent = false;       // some of the request may have reached the server
    bool reused = false;     // over a connection that had served another call
    bool answered = false;   // some of a response has arrived

    unsigned status = 0;
    std::string retry_after; // the field's value, or empty
    std::string location;
    WipedString body;
};

class HttpClient {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    // Throws std::runtime_error if TLS is wanted and the host cannot be one.
    HttpClient(Executor executor, HttpClientOptions options);
    // No call may be under way, unless the executor's context will never run again.
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // `request` must outlive the await.
    awaitable<HttpReply> send(const HttpRequest& request, Deadline deadline);

    // Closes what is idle, for instance because the peer is known to be gone.
    void close_idle() noexcept;
    const HttpClientOptions& options() const noexcept { return options_; }

private:
    class Slot;
    class Watch;
    struct Resolution;

    awaitable<HttpReply> attempt(const HttpRequest& request, Deadline deadline);
    awaitable<void> open(std::unique_ptr<HttpConnection>& connection, HttpReply& reply, Deadline deadline);
    awaitable<void> connect(HttpConnection& connection, Tcp::endpoint to, HttpReply& reply, Deadline deadline);
    awaitable<void> exchange(HttpConnection& connection, const HttpRequest& request, HttpReply& reply, Deadline deadline);
    awaitable<void> resolve(HttpReply& reply, Deadline deadline);
    void start_resolving();
    void adopt_addresses();
    awaitable<bool> wait_for_slot(Deadline deadline);
    WipedString compose(const HttpRequest& request) const;
    std::unique_ptr<HttpConnection> take_idle() noexcept;

    Executor executor_;
    HttpClientOptions options_;
    std::string authority_; // of the Host field
    std::vector<std::unique_ptr<HttpConnection>> idle_;
    std::size_t busy_ = 0;
    WaitingList waiting_; // for a slot
    std::vector<Tcp::endpoint> addresses_;
    Deadline addresses_until_{};
    std::shared_ptr<Resolution> resolution_; // under way
};

} // namespace gw
