// See http_client.hpp. Resolving and waiting for a connection are in http_client_addresses.cpp.
#include "net/http_client.hpp"

#include "net/http_connection.hpp"

#include <algorithm>

namespace gw {

namespace {

namespace http = boost::beast::http;

using Body = http::basic_string_body<char, std::char_traits<char>, WipingAllocator<char>>;
using Parser = http::response_parser<Body, WipingAllocator<char>>;

bool is_idempotent(std::string_view method)
{
    constexpr std::array<std::string_view, 6> k_idempotent{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    return std::find(k_idempotent.begin(), k_idempotent.end(), method) != k_idempotent.end();
}

// What a peer that closed an idle connection looks like.
bool is_closed(const boost::system::error_code& ec)
{
    return ec == asio::error::eof || ec == asio::error::connection_reset || ec == asio::error::broken_pipe ||
           ec == asio::ssl::error::stream_truncated;
}

std::string authority_of(const HttpClientOptions& options)
{
    const bool is_v6 = options.host.find(':') != std::string::npos;
    std::string authority = is_v6 ? '[' + options.host + ']' : options.host;
    if (options.port != (options.tls ? 443 : 80))
        authority += ':' + std::to_string(options.port);
    return authority;
}

std::string text_of(const Parser& parser, http::field name)
{
    const auto value = parser.get()[name];
    return {value.data(), value.size()};
}

// Feeds what has arrived. True once the response is complete; informational ones (100 to 199) are passed over.
bool parse(std::optional<Parser>& parser, HttpConnection::Buffer& buffer, const std::function<void()>& start_anew,
           boost::system::error_code& ec)
{
    while (buffer.size() > 0) {
        const std::size_t used = parser->put(buffer.data(), ec);
        buffer.consume(used);
        if (ec == http::error::need_more) {
            ec = {};
            return false;
        }
        if (ec)
            return false;
        if (!parser->is_done())
            continue;
        if (parser->get().result_int() / 100 != 1)
            return true;
        start_anew();
    }
    return false;
}

} // namespace

HttpClient::HttpClient(Executor executor, HttpClientOptions options)
    : executor_(std::move(executor)), options_(std::move(options)), authority_(authority_of(options_))
{
    if (options_.tls)
        HttpConnection{executor_, options_.tls.get()}.prepare_tls(options_.host);
}

HttpClient::~HttpClient() = default;

awaitable<HttpReply> HttpClient::send(const HttpRequest& request, Deadline deadline)
{
    HttpReply reply = co_await attempt(request, deadline);
    const bool found_closed = reply.ec && reply.reused && !reply.answered && is_closed(reply.ec);
    if (!found_closed || !is_idempotent(request.method))
        co_return std::move(reply);
    idle_.clear(); // its siblings are as old
    co_return co_await attempt(request, deadline);
}

awaitable<HttpReply> HttpClient::attempt(const HttpRequest& request, Deadline deadline)
{
    HttpReply reply;
    const bool got_slot = co_await wait_for_slot(deadline);
    if (!got_slot) {
        reply.ec = asio::error::timed_out;
        reply.detail = "all connections were in use";
        co_return std::move(reply);
    }
    const Slot slot{*this};
    std::unique_ptr<HttpConnection> connection = take_idle();
    reply.reused = connection != nullptr;
    if (!connection)
        co_await open(connection, reply, deadline);
    if (reply.ec)
        co_return std::move(reply);
    co_await exchange(*connection, request, reply, deadline);
    if (!reply.ec && connection->keep) {
        connection->idle_since = std::chrono::steady_clock::now();
        idle_.push_back(std::move(connection));
    }
    co_return std::move(reply);
}

awaitable<void> HttpClient::open(std::unique_ptr<HttpConnection>& connection, HttpReply& reply, Deadline deadline)
{
    co_await resolve(reply, deadline);
    if (reply.ec)
        co_return;
    const std::vector<Tcp::endpoint> addresses = addresses_;
    for (const Tcp::endpoint& address : addresses) {
        reply.ec = {};
        connection = std::make_unique<HttpConnection>(executor_, options_.tls.get());
        co_await connect(*connection, address, reply, deadline);
        if (!reply.ec || std::chrono::steady_clock::now() >= deadline)
            co_return;
    }
}

awaitable<void> HttpClient::connect(HttpConnection& connection, Tcp::endpoint to, HttpReply& reply, Deadline deadline)
{
    const Watch watch{executor_, std::min(deadline, std::chrono::steady_clock::now() + options_.connect), connection.socket};
    const auto [refused] = co_await connection.socket.async_connect(to, no_throw);
    reply.ec = refused;
    if (refused)
        reply.detail = "connecting to " + to.address().to_string() + ": " + refused.message();
    else if (connection.tls) {
        connection.prepare_tls(options_.host);
        const auto [failed] = co_await connection.tls->async_handshake(asio::ssl::stream_base::client, no_throw);
        reply.ec = failed;
        if (failed)
            reply.detail = "TLS handshake: " + tls_failure(connection.tls->native_handle(), failed.message());
    }
    if (reply.ec && watch.has_expired()) {
        reply.ec = asio::error::timed_out;
        reply.detail = "connecting to " + to.address().to_string() + " took too long";
    }
    if (!reply.ec) {
        boost::system::error_code ignored;
        connection.socket.set_option(Tcp::no_delay{true}, ignored);
    }
}

WipedString HttpClient::compose(const HttpRequest& request) const
{
    WipedString text;
    text.reserve(512 + request.target.size() + request.body.size());
    text.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(authority_).append("\r\n");
    for (const HttpField& field : request.fields)
        text.append(field.name).append(": ").append(field.value).append("\r\n");
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
        text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
    text.append("\r\n").append(request.body);
    return text;
}

awaitable<void> HttpClient::exchange(HttpConnection& connection, const HttpRequest& request, HttpReply& reply, Deadline deadline)
{
    const Watch watch{executor_, deadline, connection.socket};
    const auto failed = [&](const boost::system::error_code& ec, const char* step) {
        reply.ec = watch.has_expired() ? boost::system::error_code{asio::error::timed_out} : ec;
        reply.detail = std::string{step} + ": " + reply.ec.message();
    };
    const WipedString text = compose(request);
    reply.sent = true;
    if (const auto ec = co_await connection.write(text)) {
        failed(ec, "sending");
        co_return;
    }

    std::optional<Parser> parser;
    const std::function<void()> start = [&] {
        parser.emplace();
        parser->header_limit(static_cast<std::uint32_t>(options_.max_head_bytes));
        parser->body_limit(options_.max_body_bytes);
        parser->eager(true);
        parser->skip(request.method == "HEAD");
    };
    start();
    bool done = false;
    while (!done) {
        boost::system::error_code ec = co_await connection.read_more();
        if (ec == asio::error::eof && reply.answered)
            parser->put_eof(ec); // a body that ends with the connection, or an error
        else if (!ec) {
            reply.answered = true;
            done = parse(parser, connection.buffer, start, ec);
        }
        if (ec) {
            failed(ec, "receiving");
            co_return;
        }
        done = done || parser->is_done();
    }
    reply.status = parser->get().result_int();
    reply.retry_after = text_of(*parser, http::field::retry_after);
    reply.location = text_of(*parser, http::field::location);
    connection.keep = parser->keep_alive() && connection.buffer.size() == 0;
    reply.body = std::move(parser->get().body());
}

} // namespace gw
