// The admin listener's sockets: accept, read with limits and timeouts, answer, keep alive or close, stop.
#include "admin/server.hpp"

#include "domain/api_key.hpp"
#include "observe/log.hpp"

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace gw {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

using Stream = beast::basic_stream<Tcp, Executor, beast::unlimited_rate_policy>;

Address address_of(const Tcp::endpoint& endpoint)
{
    const auto& address = endpoint.address();
    if (address.is_v4())
        return Address::from_v4(address.to_v4().to_uint());
    return Address::from_v6(address.to_v6().to_bytes());
}

// What Beast's parser lets through although two readers could disagree on where the message ends, or whom it
// is for (RFC 9112 sections 3.2 and 6.3).
const char* ambiguity_of(const ApiRequest& request)
{
    const auto codings = request.count(http::field::transfer_encoding);
    const auto lengths = request.count(http::field::content_length);
    if (codings > 1 || lengths > 1 || (codings > 0 && lengths > 0))
        return "The framing of the request is ambiguous.";
    if (codings == 1 && !boost::beast::iequals(request[http::field::transfer_encoding], "chunked"))
        return "Only the transfer coding chunked is understood.";
    if (request.version() >= 11 && request.count(http::field::host) != 1)
        return "Send exactly one Host.";
    if (!request.target().starts_with('/'))
        return "The target must be a path.";
    return nullptr;
}

ApiProblem problem_of_read(beast::error_code failed)
{
    if (failed == http::error::body_limit)
        return {413, "body_too_large", "The body is larger than this listener takes."};
    if (failed == http::error::header_limit)
        return {431, "head_too_large", "The request's head is too large."};
    if (failed == http::error::bad_version)
        return {505, "unsupported_version", "This listener speaks HTTP/1.0 and HTTP/1.1."};
    return {400, "malformed_request", "The request is malformed: " + failed.message() + "."};
}

bool is_peer_gone(beast::error_code failed)
{
    return failed == http::error::end_of_stream || failed == asio::error::eof ||
           failed == asio::error::connection_reset || failed == asio::error::operation_aborted ||
           failed == asio::error::broken_pipe || failed == asio::error::bad_descriptor ||
           failed == beast::error::timeout; // Beast has closed the socket by then
}

} // namespace

struct AdminServer::Session {
    Session(Socket socket, Address client_) : stream(std::move(socket)), client(client_) {}

    Stream stream;
    Address client;
    beast::flat_buffer buffer{64 * 1024};
    bool idle = true; // between two requests: may be closed at once
};

AdminServer::AdminServer(asio::io_context& context, AdminOptions options, AdminServices services,
                         ManagementAuth auth)
    : context_(context), options_(std::move(options)),
      api_(std::move(services), std::move(auth), options_.with_api), ended_(context.get_executor())
{
}

AdminServer::~AdminServer() = default;

void AdminServer::start()
{
    for (const AdminListen& listen : options_.listen) {
        const Tcp::endpoint endpoint{asio::ip::make_address(listen.host), listen.port};
        try {
            Acceptor& acceptor = acceptors_.emplace_back(context_.get_executor());
            acceptor.open(endpoint.protocol());
            acceptor.set_option(Tcp::acceptor::reuse_address(true));
            acceptor.bind(endpoint);
            acceptor.listen();
        } catch (const boost::system::system_error& failure) {
            acceptors_.clear();
            const std::string where = listen.host + ':' + std::to_string(listen.port);
            throw boost::system::system_error(failure.code(), "admin.listen: cannot listen on " + where);
        }
    }
    for (Acceptor& acceptor : acceptors_) {
        ++accepting_;
        auto when_done = [this](std::exception_ptr) {
            --accepting_;
            ended_.cancel();
        };
        asio::co_spawn(context_.get_executor(), accept_connections(acceptor), when_done);
    }
}

std::vector<std::uint16_t> AdminServer::ports() const
{
    std::vector<std::uint16_t> out;
    for (const Acceptor& acceptor : acceptors_)
        out.push_back(acceptor.local_endpoint().port());
    return out;
}

awaitable<void> AdminServer::accept_connections(Acceptor& acceptor)
{
    while (!stopping_) {
        auto [failed, socket] = co_await acceptor.async_accept(no_throw);
        if (stopping_ || failed == asio::error::operation_aborted)
            co_return;
        if (!failed && sessions_.size() < options_.connections) {
            begin(std::move(socket));
            continue;
        }
        if (!failed)
            continue; // the cap: the connection is closed
        Timer pause{context_.get_executor(),
                    std::chrono::milliseconds{100}}; // out of descriptors, most likely
        co_await pause.async_wait(no_throw);
    }
}

void AdminServer::begin(Socket socket)
{
    error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    if (gone)
        return;
    auto entry =
        sessions_.insert(sessions_.end(), std::make_unique<Session>(std::move(socket), address_of(peer)));
    auto when_done = [this, entry](std::exception_ptr escaped) {
        sessions_.erase(entry);
        ended_.cancel();
        if (escaped)
            log(LogLevel::error, "admin.session_failed");
    };
    asio::co_spawn(context_.get_executor(), serve(**entry), when_done);
}

awaitable<void> AdminServer::serve(Session& session)
{
    while (!stopping_ && co_await serve_one(session))
        session.idle = true;
    error_code ignored;
    session.stream.socket().shutdown(Tcp::socket::shutdown_both, ignored);
    session.stream.close();
}

awaitable<bool> AdminServer::serve_one(Session& session)
{
    // Waits for the first byte with the idle timeout, then reads the request with the read timeout.
    if (session.buffer.size() == 0) {
        session.stream.expires_after(options_.idle_timeout);
        auto [failed, size] = co_await session.stream.async_read_some(session.buffer.prepare(4096), no_throw);
        if (failed)
            co_return false;
        session.buffer.commit(size);
    }
    session.idle = false;
    ApiRequest request;
    if (!co_await read_request(session, request))
        co_return false;
    const std::string request_id = random_base62(20);
    if (const char* detail = ambiguity_of(request)) {
        const ApiProblem problem{400, "malformed_request", detail};
        ApiResponse refused = problem_response(problem, "", request_id);
        co_return co_await write_response(session, request, std::move(refused), request_id, false);
    }
    ApiResponse response = co_await api_.answer(request, session.client, request_id);
    const bool keep_alive = request.keep_alive() && !stopping_;
    co_return co_await write_response(session, request, std::move(response), request_id, keep_alive);
}

awaitable<bool> AdminServer::read_request(Session& session, ApiRequest& request)
{
    http::request_parser<http::string_body> parser;
    parser.body_limit(options_.body_bytes);
    parser.header_limit(options_.head_bytes);
    session.stream.expires_after(options_.read_timeout);
    auto [failed, head_bytes] =
        co_await http::async_read_header(session.stream, session.buffer, parser, no_throw);
    if (!failed && !parser.is_done() &&
        boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        http::response<http::empty_body> go_on{http::status::continue_, 11};
        auto [broken, sent] = co_await http::async_write(session.stream, go_on, no_throw);
        failed = broken;
    }
    if (!failed) {
        auto [broken, body_bytes] =
            co_await http::async_read(session.stream, session.buffer, parser, no_throw);
        failed = broken;
    }
    if (!failed) {
        request = parser.release();
        co_return true;
    }
    if (!is_peer_gone(failed)) {
        const std::string request_id = random_base62(20);
        ApiResponse refused = problem_response(problem_of_read(failed), "", request_id);
        co_await write_response(session, request, std::move(refused), request_id, false);
    }
    co_return false;
}

awaitable<bool> AdminServer::write_response(Session& session, const ApiRequest& request, ApiResponse response,
                                            const std::string& request_id, bool keep_alive)
{
    http::response<http::string_body> out{static_cast<http::status>(response.status), 11};
    out.set(http::field::content_type, response.type);
    out.set(http::field::cache_control, "no-store");
    out.set("X-Request-Id", request_id);
    out.set("X-Content-Type-Options", "nosniff");
    out.set("X-Frame-Options", "DENY");
    out.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    out.set("Referrer-Policy", "no-referrer");
    if (options_.public_url.starts_with("https://"))
        out.set("Strict-Transport-Security", "max-age=31536000");
    for (const auto& [name, value] : response.fields)
        out.set(name, value);
    out.content_length(response.body.size());
    out.version(request.version() == 10 ? 10 : 11);
    out.keep_alive(keep_alive);
    out.body() = std::move(response.body);

    session.stream.expires_after(options_.write_timeout);
    bool written = false;
    if (request.method() == http::verb::head) {
        http::response_serializer<http::string_body> head_only{out};
        auto [failed, size] = co_await http::async_write_header(session.stream, head_only, no_throw);
        written = !failed;
    } else {
        auto [failed, size] = co_await http::async_write(session.stream, out, no_throw);
        written = !failed;
    }
    // The body may hold a secret that was just issued.
    wipe(out.body().data(), out.body().size());
    co_return written&& keep_alive;
}

awaitable<void> AdminServer::stop(std::chrono::milliseconds grace)
{
    stopping_ = true;
    for (Acceptor& acceptor : acceptors_) {
        error_code ignored;
        acceptor.close(ignored);
    }
    for (auto& session : sessions_)
        if (session->idle)
            session->stream.cancel();
    const auto deadline = std::chrono::steady_clock::now() + grace;
    bool hard = false;
    while (!sessions_.empty() || accepting_ > 0) {
        if (!hard && std::chrono::steady_clock::now() >= deadline) {
            hard = true;
            for (auto& session : sessions_)
                session->stream.close();
        }
        ended_.expires_at(hard ? std::chrono::steady_clock::time_point::max() : deadline);
        co_await ended_.async_wait(no_throw);
    }
}

} // namespace gw
