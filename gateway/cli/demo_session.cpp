// What the demo API answers:
//   GET  /healthz                    {"status":"ok"}
//   GET  /v1/orders                  a sample list
//   GET  /bytes/N[?chunked=1]        N bytes: byte i is block[i % 65521], block[j] = ((j*j + 7*j) >> 3) & 255
//   POST /hash                       {"sha256":hex,"bytes":n} of the body
//   GET  /slow?ms=M                  answers after M milliseconds
//   GET  /drip?count=C&ms=M          C chunks, one every M milliseconds
//   GET  /events?count=C&ms=M        the same as server-sent events
//   GET  /trailers                   a chunked body with trailers
//   GET  /hints                      103 Early Hints, then 200
//   *    /status/CODE                that status
//   *    anything else               an echo: method, path, query, headers, trailers, body_bytes
#include "cli/demo_session.hpp"

#include "cli/demo_reply.hpp"
#include "domain/api_key.hpp"

#include <boost/beast/http/read.hpp>
#include <boost/json.hpp>

#include <charconv>

#include <openssl/evp.h>

namespace gw::cli {

namespace http = boost::beast::http;
namespace json = boost::json;

namespace {

constexpr std::size_t k_block_bytes = 65521; // a prime: a shift by a power of two shows
constexpr std::string_view k_json = "application/json";

std::string_view pattern_block()
{
    static const std::string block = [] {
        std::string out(k_block_bytes, '\0');
        for (std::uint64_t j = 0; j < k_block_bytes; ++j)
            out[j] = static_cast<char>(((j * j + 7 * j) >> 3) & 255);
        return out;
    }();
    return block;
}

std::optional<std::uint64_t> to_number(std::string_view text)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::string_view view(boost::core::string_view text)
{
    return {text.data(), text.size()};
}

json::value named_values(http::fields::const_iterator from, http::fields::const_iterator to)
{
    json::array out;
    for (; from != to; ++from)
        out.push_back(json::array{view(from->name_string()), view(from->value())});
    return out;
}

std::string sample_orders()
{
    return R"({"data":[{"id":"o_1001","item":"anvil","quantity":1},{"id":"o_1002","item":"rope","quantity":3}],"has_more":false})";
}

struct Sha256Stream {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    Sha256Stream() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
    ~Sha256Stream() { EVP_MD_CTX_free(context); }
    Sha256Stream(const Sha256Stream&) = delete;
    Sha256Stream& operator=(const Sha256Stream&) = delete;
    void add(std::string_view part) { EVP_DigestUpdate(context, part.data(), part.size()); }
    std::string hex()
    {
        Sha256 sum{};
        EVP_DigestFinal_ex(context, sum.data(), nullptr);
        return to_hex(sum);
    }
};

} // namespace

DemoSession::DemoSession(Socket socket) : socket_(std::move(socket)), buffer_(256 * 1024) {}

std::string_view DemoSession::path() const
{
    const std::string_view target = view(parser_->get().target());
    return target.substr(0, target.find('?'));
}

std::string_view DemoSession::query() const
{
    const std::string_view target = view(parser_->get().target());
    const std::size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

std::string_view DemoSession::parameter(std::string_view name) const
{
    std::string_view rest = query();
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
            return pair.substr(name.size() + 1);
    }
    return {};
}

std::uint64_t DemoSession::number(std::string_view name, std::uint64_t otherwise) const
{
    return to_number(parameter(name)).value_or(otherwise);
}

awaitable<void> DemoSession::run()
{
    socket_.set_option(Tcp::no_delay(true));
    while (co_await serve_one()) {
    }
    boost::system::error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_both, ignored);
}

awaitable<bool> DemoSession::serve_one()
{
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(256 * 1024);
    parser_->body_limit(boost::none);
    auto [failed, size] = co_await http::async_read_header(socket_, buffer_, *parser_, no_throw);
    if (failed == http::error::end_of_stream || failed == asio::error::eof ||
        failed == asio::error::connection_reset || failed == asio::error::operation_aborted)
        co_return false;
    if (failed) {
        DemoReply broken{socket_, false, 1, false};
        const std::string text = "{\"error\":\"" + failed.message() + "\"}\n";
        co_await broken.whole(400, k_json, text);
        co_return false;
    }
    const auto& head = parser_->get();
    head_fields_ = static_cast<std::size_t>(std::distance(head.begin(), head.end()));
    body_bytes_ = 0;
    continued_ = !boost::beast::iequals(head[http::field::expect], "100-continue");
    DemoReply reply{socket_, head.method() == http::verb::head, static_cast<int>(head.version() % 10),
                    head.keep_alive()};
    if (!co_await answer(reply))
        co_return false;
    // An answer that did not look at the body: what is left of it would be read as the next request.
    if (!parser_->is_done() && (!continued_ || !co_await discard_body(reply)))
        co_return false;
    co_return reply.keep_alive();
}

awaitable<bool> DemoSession::answer(DemoReply& reply)
{
    const std::string where{path()};
    if (where == "/healthz")
        co_return co_await reply.whole(200, k_json, "{\"status\":\"ok\"}\n");
    if (where == "/v1/orders" && parser_->get().method() != http::verb::post)
        co_return co_await reply.whole(200, k_json, sample_orders() + "\n");
    if (where.starts_with("/bytes/"))
        co_return co_await answer_bytes(reply, std::string_view{where}.substr(7));
    if (where == "/hash")
        co_return co_await answer_hash(reply);
    if (where == "/slow")
        co_return co_await answer_slow(reply);
    if (where == "/drip")
        co_return co_await answer_drip(reply);
    if (where == "/events")
        co_return co_await answer_events(reply);
    if (where == "/trailers")
        co_return co_await answer_trailers(reply);
    if (where == "/hints" && !co_await reply.interim(103, "Link: </style.css>; rel=preload\r\n"))
        co_return false;
    if (where.starts_with("/status/")) {
        const auto code = to_number(std::string_view{where}.substr(8));
        if (code && *code >= 200 && *code <= 599) {
            if (!co_await discard_body(reply))
                co_return false;
            const std::string text = "{\"status\":" + std::to_string(*code) + "}\n";
            co_return co_await reply.whole(static_cast<int>(*code), k_json, text);
        }
        co_return co_await reply.whole(400, k_json, "{\"error\":\"/status/CODE wants 200 to 599\"}\n");
    }
    co_return co_await answer_echo(reply);
}

awaitable<bool> DemoSession::answer_echo(DemoReply& reply)
{
    if (!co_await discard_body(reply))
        co_return false;
    const auto& head = parser_->get();
    const auto trailers = std::next(head.begin(), static_cast<std::ptrdiff_t>(head_fields_));
    json::object echo;
    echo["method"] = view(head.method_string());
    echo["path"] = path();
    echo["query"] = query();
    echo["headers"] = named_values(head.begin(), trailers);
    echo["trailers"] = named_values(trailers, head.end());
    echo["body_bytes"] = body_bytes_;
    std::string text = json::serialize(echo);
    text += '\n';
    co_return co_await reply.whole(200, k_json, std::move(text));
}

awaitable<bool> DemoSession::answer_hash(DemoReply& reply)
{
    Sha256Stream sum;
    BodySink sink = [&sum](std::string_view part) { sum.add(part); };
    if (!co_await read_body(reply, std::move(sink)))
        co_return false;
    const std::string text =
        "{\"sha256\":\"" + sum.hex() + "\",\"bytes\":" + std::to_string(body_bytes_) + "}\n";
    co_return co_await reply.whole(200, k_json, text);
}

awaitable<bool> DemoSession::answer_bytes(DemoReply& reply, std::string_view count)
{
    const auto total = to_number(count);
    constexpr std::uint64_t k_most = 4ull << 30;
    if (!total || *total > k_most)
        co_return co_await reply.whole(400, k_json, "{\"error\":\"/bytes/N wants 0 to 4294967296\"}\n");
    const auto length = parameter("chunked") == "1" ? std::nullopt : total;
    if (!co_await reply.begin(200, "application/octet-stream", length))
        co_return false;
    const bool head_only = parser_->get().method() == http::verb::head;
    for (std::uint64_t left = head_only ? 0 : *total; left > 0;) {
        const std::string_view part = pattern_block().substr(0, std::min<std::uint64_t>(left, k_block_bytes));
        if (!co_await reply.piece(part))
            co_return false;
        left -= part.size();
    }
    co_return co_await reply.end();
}

awaitable<bool> DemoSession::answer_slow(DemoReply& reply)
{
    const std::uint64_t delay = number("ms", 1000);
    if (!co_await discard_body(reply) || !co_await wait(delay))
        co_return false;
    co_return co_await reply.whole(200, k_json, "{\"waited_ms\":" + std::to_string(delay) + "}\n");
}

awaitable<bool> DemoSession::answer_drip(DemoReply& reply)
{
    if (!co_await reply.begin(200, "text/plain", std::nullopt))
        co_return false;
    const std::uint64_t count = number("count", 10);
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i > 0 && !co_await wait(number("ms", 100)))
            co_return false;
        const std::string line = "drip " + std::to_string(i) + "\n";
        if (!co_await reply.piece(line))
            co_return false;
    }
    co_return co_await reply.end();
}

awaitable<bool> DemoSession::answer_events(DemoReply& reply)
{
    if (!co_await reply.begin(200, "text/event-stream", std::nullopt, "Cache-Control: no-store\r\n"))
        co_return false;
    const std::uint64_t count = number("count", 10);
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i > 0 && !co_await wait(number("ms", 100)))
            co_return false;
        const std::string event = "id: " + std::to_string(i) + "\ndata: event " + std::to_string(i) + "\n\n";
        if (!co_await reply.piece(event))
            co_return false;
    }
    co_return co_await reply.end();
}

awaitable<bool> DemoSession::answer_trailers(DemoReply& reply)
{
    const std::string body = "a body with trailers\n";
    if (!co_await reply.begin(200, "text/plain", std::nullopt, "Trailer: X-Checksum, X-Lines\r\n"))
        co_return false;
    if (!co_await reply.piece(body))
        co_return false;
    const std::string trailers = "X-Checksum: sha256=" + to_hex(sha256(body)) + "\r\nX-Lines: 1\r\n";
    co_return co_await reply.end(trailers);
}

awaitable<bool> DemoSession::wait(std::uint64_t milliseconds)
{
    Timer timer{socket_.get_executor()};
    timer.expires_after(std::chrono::milliseconds{milliseconds});
    auto [failed] = co_await timer.async_wait(no_throw);
    co_return !failed;
}

awaitable<bool> DemoSession::discard_body(DemoReply& reply)
{
    BodySink nowhere = [](std::string_view) {};
    co_return co_await read_body(reply, std::move(nowhere));
}

awaitable<bool> DemoSession::read_body(DemoReply& reply, BodySink sink)
{
    if (!continued_) {
        continued_ = true;
        if (!parser_->is_done() && !co_await reply.interim(100))
            co_return false;
    }
    while (!parser_->is_done()) {
        auto& body = parser_->get().body();
        body.data = body_part_.data();
        body.size = body_part_.size();
        auto [failed, size] = co_await http::async_read_some(socket_, buffer_, *parser_, no_throw);
        const std::string_view part{body_part_.data(), body_part_.size() - body.size};
        body_bytes_ += part.size();
        sink(part);
        if (failed && failed != http::error::need_buffer)
            co_return false;
    }
    co_return true;
}

} // namespace gw::cli
