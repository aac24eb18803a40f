// See http_client.hpp: what a call needs before it can send, which is a place among the connections and an address.
#include "net/http_connection.hpp"

namespace gw {

// Shared with the resolver's callback, since resolving cannot be interrupted: the client may be gone before it ends.
struct HttpClient::Resolution {
    explicit Resolution(const Executor& executor) : resolver(executor) {}

    asio::ip::basic_resolver<Tcp, Executor> resolver;
    bool done = false;
    boost::system::error_code ec;
    std::vector<Tcp::endpoint> found;
    WaitingList waiting;
};

awaitable<bool> HttpClient::wait_for_slot(Deadline deadline)
{
    while (busy_ >= options_.max_connections) {
        const bool woken = co_await waiting_.wait(executor_, deadline);
        if (!woken)
            co_return false;
    }
    co_return true;
}

std::unique_ptr<HttpConnection> HttpClient::take_idle() noexcept
{
    const auto oldest = std::chrono::steady_clock::now() - options_.keep_idle;
    while (!idle_.empty()) {
        std::unique_ptr<HttpConnection> connection = std::move(idle_.back());
        idle_.pop_back();
        if (connection->idle_since >= oldest && connection->is_quiet())
            return connection;
    }
    return nullptr;
}

void HttpClient::close_idle() noexcept
{
    idle_.clear();
}

void HttpClient::start_resolving()
{
    resolution_ = std::make_shared<Resolution>(executor_);
    resolution_->resolver.async_resolve(
        options_.host, std::to_string(options_.port), Tcp::resolver::numeric_service,
        [resolution = resolution_](const boost::system::error_code& ec, const auto& results) {
            resolution->done = true;
            resolution->ec = ec;
            for (const auto& result : results)
                resolution->found.push_back(result.endpoint());
            resolution->waiting.wake_all();
        });
}

// Takes over what a resolution that has ended found, if anything.
void HttpClient::adopt_addresses()
{
    if (!resolution_ || !resolution_->done)
        return;
    if (!resolution_->ec) {
        addresses_ = resolution_->found;
        addresses_until_ = std::chrono::steady_clock::now() + options_.keep_addresses;
    }
    resolution_.reset();
}

awaitable<void> HttpClient::resolve(HttpReply& reply, Deadline deadline)
{
    adopt_addresses();
    if (std::chrono::steady_clock::now() < addresses_until_)
        co_return;
    boost::system::error_code not_literal;
    const auto literal = asio::ip::make_address(options_.host, not_literal);
    if (!not_literal) {
        addresses_.assign(1, Tcp::endpoint{literal, options_.port});
        addresses_until_ = Deadline::max();
        co_return;
    }
    if (!resolution_)
        start_resolving();
    if (!addresses_.empty())
        co_return; // older ones do meanwhile
    const std::shared_ptr<Resolution> resolution = resolution_;
    while (!resolution->done) {
        const bool woken = co_await resolution->waiting.wait(executor_, deadline);
        if (!woken)
            break;
    }
    adopt_addresses();
    if (!addresses_.empty())
        co_return;
    reply.ec = resolution->ec;
    if (!resolution->done)
        reply.ec = asio::error::timed_out;
    else if (!reply.ec)
        reply.ec = asio::error::host_not_found;
    reply.detail = "resolving " + options_.host + ": " + reply.ec.message();
}

} // namespace gw
