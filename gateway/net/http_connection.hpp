// One connection of an HttpClient: a socket, TLS over it or not, and the bytes that have arrived. Private to
// http_client*.cpp.
#pragma once

#include "net/asio.hpp"
#include "net/http_client.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cerrno>
#include <functional>
#include <optional>

#include <sys/socket.h>

namespace gw {

class HttpConnection {
public:
    using Buffer = boost::beast::basic_flat_buffer<WipingAllocator<char>>;

    HttpConnection(Executor executor, asio::ssl::context* context) : socket(std::move(executor))
    {
        if (context != nullptr)
            tls.emplace(socket, *context);
    }

    void prepare_tls(const std::string& host) { expect_tls_host(tls->native_handle(), host); }

    // `text` must outlive the await.
    awaitable<boost::system::error_code> write(const WipedString& text)
    {
        const asio::const_buffer bytes{text.data(), text.size()};
        if (tls) {
            const auto [ec, n] = co_await asio::async_write(*tls, bytes, no_throw);
            co_return ec;
        }
        const auto [ec, n] = co_await asio::async_write(socket, bytes, no_throw);
        co_return ec;
    }

    awaitable<boost::system::error_code> read_more()
    {
        const asio::mutable_buffer room = buffer.prepare(k_read_bytes);
        if (tls) {
            const auto [ec, n] = co_await tls->async_read_some(room, no_throw);
            buffer.commit(n);
            co_return ec;
        }
        const auto [ec, n] = co_await socket.async_read_some(room, no_throw);
        buffer.commit(n);
        co_return ec;
    }

    // Open, and nothing has arrived that nobody asked for.
    bool is_quiet() noexcept
    {
        char byte;
        return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    Socket socket;
    std::optional<asio::ssl::stream<Socket&>> tls;
    Buffer buffer;
    std::chrono::steady_clock::time_point idle_since{};
    bool keep = false; // fit for another request

private:
    static constexpr std::size_t k_read_bytes = 8 * 1024;
};

// Holds one of the client's connections' places while it lives.
class HttpClient::Slot {
public:
    explicit Slot(HttpClient& client) noexcept : client_(client) { ++client_.busy_; }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot()
    {
        --client_.busy_;
        client_.waiting_.wake_longest();
    }

private:
    HttpClient& client_;
};

// Closes a socket at its deadline, unless it is gone by then; the operation that waits on it ends.
class HttpClient::Watch {
public:
    Watch(Executor executor, Deadline deadline, Socket& socket) : timer_(std::move(executor), deadline), state_(std::make_shared<State>())
    {
        state_->socket = &socket;
        timer_.async_wait([state = state_](const boost::system::error_code& ec) {
            if (ec || state->socket == nullptr)
                return;
            state->expired = true;
            boost::system::error_code ignored;
            state->socket->close(ignored);
        });
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { state_->socket = nullptr; }

    bool has_expired() const noexcept { return state_->expired; }

private:
    struct State {
        Socket* socket = nullptr;
        bool expired = false;
    };
    Timer timer_;
    std::shared_ptr<State> state_;
};

} // namespace gw
