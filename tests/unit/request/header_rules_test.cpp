// What passes between client and upstream, and what is added: parsed heads in, composed heads out.
#include "request/header_rules.hpp"

#include "http1/head_parser.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string>

using namespace gw;
using http1::BodyKind;

namespace {

// A request parsed from text, and the context to send it on with.
struct Request {
    std::string text;
    std::array<http1::Field, 64> storage;
    std::array<char, 512> scratch;
    http1::RequestHead head;
    http1::Target target;
    UpstreamHeadContext context{.head = head, .target = target};

    explicit Request(const std::string& fields, const std::string& line = "GET /a HTTP/1.1",
                     const std::string& host = "Host: api.example\r\n")
        : text(line + "\r\n" + host + fields + "\r\n")
    {
        const auto result = http1::parse_request_head(text, storage, {}, head);
        INFO(text << result.detail);
        REQUIRE(result.status == http1::ParseResult::Status::complete);
        REQUIRE(http1::normalise_target(head.target, false, scratch, target) == http1::TargetError::none);
        context.client_address = "192.0.2.7";
        context.request_id = "req-1";
        context.body = head.body;
    }
    Request(const Request&) = delete;

    std::string sent() const
    {
        http1::HeadBuffer out{16};
        write_upstream_head(out, context);
        return std::string{out.view()};
    }
    const http1::Field* field(std::string_view name) const
    {
        for (const auto& each : head.fields) {
            if (each.name == name)
                return &each;
        }
        return nullptr;
    }
};

struct Response {
    std::string text;
    std::array<http1::Field, 64> storage;
    http1::ResponseHead head;
    ClientHeadContext context{.head = head};

    explicit Response(const std::string& fields, const std::string& line = "HTTP/1.1 200 OK",
                      bool to_head = false)
        : text(line + "\r\n" + fields + "\r\n")
    {
        const auto result = http1::parse_response_head(text, storage, {}, to_head, head);
        INFO(text << result.detail);
        REQUIRE(result.status == http1::ParseResult::Status::complete);
    }
    Response(const Response&) = delete;

    std::string sent(BodyKind* framing = nullptr) const
    {
        http1::HeadBuffer out{16};
        const BodyKind kind = write_client_head(out, context);
        if (framing != nullptr)
            *framing = kind;
        return std::string{out.view()};
    }
};

bool has(const std::string& head, const std::string& line)
{
    return head.find("\r\n" + line + "\r\n") != head.npos;
}
bool names(const std::string& head, const std::string& name)
{
    return head.find("\r\n" + name + ":") != head.npos;
}

} // namespace

TEST_CASE("header_rules: a plain request is sent on with our fields behind its own", "[request]")
{
    Request r{"Accept: */*\r\nX-Custom: 1\r\n", "GET //v1/./orders?a=%2f HTTP/1.1"};
    r.context.traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    r.context.identity_fields = "X-Gateway-Tenant: acme\r\n";
    CHECK(r.sent() == "GET /v1/orders?a=%2f HTTP/1.1\r\n"
                      "Host: api.example\r\n"
                      "Accept: */*\r\n"
                      "X-Custom: 1\r\n"
                      "X-Forwarded-For: 192.0.2.7\r\n"
                      "X-Forwarded-Proto: http\r\n"
                      "X-Forwarded-Host: api.example\r\n"
                      "X-Request-Id: req-1\r\n"
                      "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n"
                      "X-Gateway-Tenant: acme\r\n"
                      "Via: 1.1 portcullis\r\n"
                      "\r\n");
}

TEST_CASE("header_rules: hop-by-hop and nominated fields stay behind", "[request]")
{
    Request r{"Connection: keep-alive, X-Hop, Upgrade\r\nX-Hop: 1\r\nKeep-Alive: "
              "timeout=5\r\nProxy-Connection: close\r\n"
              "Upgrade: websocket\r\nHTTP2-Settings: AAA\r\nProxy-Authorization: Basic x\r\nTE: gzip\r\n"
              "Expect: 100-continue\r\nX-Stays: 1\r\n"};
    const std::string sent = r.sent();
    INFO(sent);
    for (const char* name : {"Connection", "X-Hop", "Keep-Alive", "Proxy-Connection", "Upgrade",
                             "HTTP2-Settings", "Proxy-Authorization", "TE", "Expect"})
        CHECK_FALSE(names(sent, name));
    CHECK(has(sent, "X-Stays: 1"));
}

TEST_CASE("header_rules: Connection cannot make checked fields or ours disappear", "[request]")
{
    Request r{"Connection: host, authorization, cookie, content-length, x-forwarded-for, x-request-id, "
              "x-gateway-tenant, via, "
              "traceparent\r\nAuthorization: Bearer upstream\r\nCookie: a=b\r\nContent-Length: 3\r\n"
              "X-Gateway-Tenant: evil\r\n"};
    r.context.identity_fields = "X-Gateway-Tenant: acme\r\n";
    const std::string sent = r.sent();
    INFO(sent);
    for (const char* line :
         {"Host: api.example", "Authorization: Bearer upstream", "Cookie: a=b", "Content-Length: 3",
          "X-Forwarded-For: 192.0.2.7", "X-Request-Id: req-1", "X-Gateway-Tenant: acme"})
        CHECK(has(sent, line));
    CHECK(sent.find("evil") == sent.npos);
}

TEST_CASE("header_rules: the credential is left out, also if Connection names it, or kept if told so",
          "[request]")
{
    Request r{"Connection: X-Token\r\nX-Token: secret\r\nAuthorization: Bearer other\r\n"};
    r.context.strip_credential = r.field("X-Token");
    CHECK_FALSE(names(r.sent(), "X-Token"));
    CHECK(has(r.sent(), "Authorization: Bearer other"));

    r.context.strip_credential = nullptr;
    CHECK_FALSE(names(r.sent(), "X-Token"));
    r.context.kept_credential = r.field("X-Token");
    CHECK(has(r.sent(), "X-Token: secret"));
}

TEST_CASE("header_rules: what is left of a credential's field is sent", "[request]")
{
    Request r{"Cookie: key=secret; theme=dark\r\n"};
    r.context.strip_credential = r.field("Cookie");
    r.context.stripped_value = "theme=dark";
    CHECK(has(r.sent(), "Cookie: theme=dark"));
    CHECK(r.sent().find("secret") == std::string::npos);
}

TEST_CASE("header_rules: a client's gateway fields are removed in every spelling, also from trusted peers",
          "[request]")
{
    const auto name =
        GENERATE(values<std::string>({"X-Gateway-Key-Id", "x_gateway_key_id", "X-GATEWAY_Tenant",
                                      "X.Gateway.Owner", "X_Forwarded_For", "X_Real_IP"}));
    Request r{name + ": evil\r\n"};
    CHECK(r.sent().find("evil") == std::string::npos);
    r.context.peer_is_trusted = true;
    CHECK(r.sent().find("evil") == std::string::npos);
}

TEST_CASE("header_rules: forwarding fields of a stranger are replaced", "[request]")
{
    Request r{
        "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n"
        "X-Forwarded-Port: 1\r\nX-Real-IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX-Request-Id: mine\r\n"};
    const std::string sent = r.sent();
    INFO(sent);
    CHECK(has(sent, "X-Forwarded-For: 192.0.2.7"));
    CHECK(has(sent, "X-Forwarded-Proto: http"));
    CHECK(has(sent, "X-Forwarded-Host: api.example"));
    for (const char* text :
         {"1.1.1.1", "https", "evil", "X-Forwarded-Port", "X-Real-IP", "\nForwarded", "mine"})
        CHECK(sent.find(text) == sent.npos);
}

TEST_CASE("header_rules: forwarding fields of a trusted peer are kept and continued", "[request]")
{
    Request r{"X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 2.2.2.2\r\n"
              "X-Forwarded-Host: www.example\r\nX-Real-IP: 1.1.1.1\r\nX-Forwarded-Proto: http\r\n"};
    r.context.peer_is_trusted = true;
    r.context.client_address = "1.1.1.1";
    r.context.peer_address = "10.0.0.1";
    const std::string sent = r.sent();
    INFO(sent);
    CHECK(has(sent, "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.1"));
    CHECK(has(sent, "X-Forwarded-Proto: https"));
    CHECK_FALSE(has(sent, "X-Forwarded-Proto: http"));
    CHECK(has(sent, "X-Forwarded-Host: www.example"));
    CHECK(has(sent, "X-Real-IP: 1.1.1.1"));
    CHECK_FALSE(has(sent, "X-Forwarded-Host: api.example"));
}

TEST_CASE("header_rules: framing is our own", "[request]")
{
    const auto [line, fields, expected] = GENERATE(table<std::string, std::string, std::string>({
        {"POST /a HTTP/1.1", "content-LENGTH: 0007\r\n", "Content-Length: 7"},
        {"POST /a HTTP/1.1", "transfer-encoding: CHUNKED\r\n", "Transfer-Encoding: chunked"},
        {"POST /a HTTP/1.1", "", "Content-Length: 0"},
        {"GET /a HTTP/1.1", "Content-Length: 0\r\n", "Content-Length: 0"},
        {"GET /a HTTP/1.1", "", ""},
    }));
    Request r{fields, line};
    const std::string sent = r.sent();
    INFO(sent);
    if (!expected.empty())
        CHECK(has(sent, expected));
    CHECK(names(sent, "Content-Length") == (expected.rfind("Content-Length", 0) == 0));
    CHECK(names(sent, "Transfer-Encoding") == (expected.rfind("Transfer", 0) == 0));
}

TEST_CASE("header_rules: interest in trailers is passed on, named by Connection", "[request]")
{
    Request r{"TE: deflate, trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n",
              "POST /a HTTP/1.1"};
    CHECK(has(r.sent(), "TE: trailers\r\nConnection: TE"));
    CHECK(has(r.sent(), "Trailer: X-Sum"));
    r.context.body = BodyKind::length;
    CHECK_FALSE(names(r.sent(), "Trailer"));
}

TEST_CASE("header_rules: an expectation is sent only if asked for", "[request]")
{
    Request r{"Expect: 100-continue\r\nContent-Length: 1\r\n"};
    CHECK_FALSE(names(r.sent(), "Expect"));
    r.context.ask_continue = true;
    CHECK(has(r.sent(), "Expect: 100-continue"));
}

TEST_CASE("header_rules: tracestate passes only with its own trace", "[request]")
{
    const std::string id = "0123456789abcdef0123456789abcdef";
    Request r{"tracestate: a=b\r\ntraceparent: 00-" + id + "-0123456789abcdef-01\r\n"};
    const std::string continued = "00-" + id + "-fedcba9876543210-01",
                      started = "00-" + std::string(32, '7') + "-0123456789abcdef-01";
    r.context.traceparent = continued;
    CHECK(has(r.sent(), "tracestate: a=b"));
    CHECK(has(r.sent(), "traceparent: " + continued));
    r.context.traceparent = started;
    CHECK_FALSE(names(r.sent(), "tracestate"));
}

TEST_CASE("header_rules: Via is appended with the version received", "[request]")
{
    Request r{"Via: 1.1 edge\r\n", "GET /a HTTP/1.0"};
    CHECK(r.sent().find("Via: 1.1 edge\r\n") < r.sent().find("Via: 1.0 portcullis\r\n"));
    CHECK(r.sent().rfind("GET /a HTTP/1.1\r\n", 0) == 0);
}

TEST_CASE("header_rules: the authority of an absolute target, or the upstream's own host, is the Host",
          "[request]")
{
    Request r{"", "GET http://API.example/a HTTP/1.1"};
    CHECK(r.sent().rfind("GET /a HTTP/1.1\r\nHost: API.example\r\n", 0) == 0);
    r.context.upstream_host = "orders.internal:9001";
    CHECK(has(r.sent(), "Host: orders.internal:9001"));
    CHECK(has(r.sent(), "X-Forwarded-Host: API.example"));
}

TEST_CASE("header_rules: a plain response is sent on", "[request]")
{
    Response r{
        "Date: today\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"};
    r.context.request_id = "req-1";
    r.context.date = "other day";
    BodyKind framing{};
    CHECK(r.sent(&framing) == "HTTP/1.1 200 OK\r\n"
                              "Date: today\r\nContent-Type: text/plain\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
                              "Via: 1.1 portcullis\r\nX-Request-Id: req-1\r\nContent-Length: 5\r\n\r\n");
    CHECK(framing == BodyKind::length);
}

TEST_CASE("header_rules: a response's hop-by-hop and nominated fields stay behind", "[request]")
{
    Response r{"Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authenticate: "
               "Basic\r\nUpgrade: h2c\r\n"
               "X-Request-Id: theirs\r\nContent-Length: 0\r\nWWW-Authenticate: Basic\r\n"};
    r.context.request_id = "ours";
    const std::string sent = r.sent();
    INFO(sent);
    for (const char* name : {"Connection", "X-Hop", "Keep-Alive", "Proxy-Authenticate", "Upgrade"})
        CHECK_FALSE(names(sent, name));
    CHECK(has(sent, "WWW-Authenticate: Basic"));
    CHECK(has(sent, "X-Request-Id: ours"));
    CHECK(sent.find("theirs") == sent.npos);
}

TEST_CASE("header_rules: framing to the client follows its version", "[request]")
{
    struct Case {
        std::string fields;
        int minor;
        BodyKind framing;
        std::string present, absent;
    };
    const auto c = GENERATE(values<Case>({
        {"Transfer-Encoding: chunked\r\n", 1, BodyKind::chunked, "Transfer-Encoding: chunked", "Connection"},
        {"Transfer-Encoding: chunked\r\n", 0, BodyKind::until_close, "Connection: close",
         "Transfer-Encoding"},
        {"", 1, BodyKind::chunked, "Transfer-Encoding: chunked", "Content-Length"},
        {"", 0, BodyKind::until_close, "Connection: close", "Transfer-Encoding"},
        {"Content-Length: 3\r\n", 1, BodyKind::length, "Content-Length: 3", "Connection"},
        {"Content-Length: 3\r\n", 0, BodyKind::length, "Connection: keep-alive", "Transfer-Encoding"},
    }));
    Response r{c.fields};
    r.context.client_minor_version = c.minor;
    BodyKind framing{};
    const std::string sent = r.sent(&framing);
    INFO(sent);
    CHECK(framing == c.framing);
    CHECK(has(sent, c.present));
    CHECK_FALSE(names(sent, c.absent));
    r.context.close = true;
    CHECK(has(r.sent(), "Connection: close"));
}

TEST_CASE("header_rules: responses without a body keep the length of the missing one, but a 204 has none",
          "[request]")
{
    CHECK(has(Response("Content-Length: 9\r\n", "HTTP/1.1 200 OK", true).sent(), "Content-Length: 9"));
    CHECK(has(Response("Content-Length: 9\r\n", "HTTP/1.1 304 Not Modified").sent(), "Content-Length: 9"));
    CHECK_FALSE(names(Response("Content-Length: 0\r\n", "HTTP/1.1 204 No Content").sent(), "Content-Length"));
    CHECK_FALSE(names(Response("Transfer-Encoding: chunked\r\n", "HTTP/1.1 200 OK", true).sent(),
                      "Transfer-Encoding"));
}

TEST_CASE("header_rules: an interim response is passed on without framing", "[request]")
{
    Response r{"Link: </a>\r\n", "HTTP/1.1 103 Early Hints"};
    r.context.request_id = "req-1";
    r.context.rate_limit_items = "\"burst\";r=1;t=1";
    CHECK(r.sent() == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nVia: 1.1 portcullis\r\n\r\n");
}

TEST_CASE("header_rules: the upstream's rate-limit lists stand behind ours, its legacy trio is replaced",
          "[request]")
{
    Response r{"RateLimit: \"up\";r=1\r\nX-RateLimit-Limit: 1\r\nX-RateLimit-Remaining: "
               "1\r\nX-RateLimit-Reset: 1\r\n"
               "RateLimit: \"up2\";r=2\r\nRateLimit-Policy: \"up\";q=9\r\nContent-Length: 0\r\n"};
    const LegacyRateLimit trio{20, 19, 1790000000};
    r.context.rate_limit_items = "\"burst\";r=19;t=19";
    r.context.rate_limit_policy_items = "\"burst\";q=20;w=20";
    r.context.legacy_rate_limit = &trio;
    const std::string sent = r.sent();
    INFO(sent);
    CHECK(has(sent, "RateLimit: \"burst\";r=19;t=19, \"up\";r=1, \"up2\";r=2"));
    CHECK(has(sent, "RateLimit-Policy: \"burst\";q=20;w=20, \"up\";q=9"));
    CHECK(has(sent, "X-RateLimit-Limit: 20"));
    CHECK(has(sent, "X-RateLimit-Remaining: 19"));
    CHECK(has(sent, "X-RateLimit-Reset: 1790000000"));
    CHECK_FALSE(has(sent, "X-RateLimit-Limit: 1"));
}

TEST_CASE("header_rules: without limits of ours the upstream's pass", "[request]")
{
    Response r{"RateLimit: \"up\";r=1\r\nRateLimit-Policy: \"up\";q=9\r\nX-RateLimit-Limit: "
               "1\r\nContent-Length: 0\r\n"};
    const std::string sent = r.sent();
    for (const char* line : {"RateLimit: \"up\";r=1", "RateLimit-Policy: \"up\";q=9", "X-RateLimit-Limit: 1"})
        CHECK(has(sent, line));
}

TEST_CASE("header_rules: a response without Date gets the one given", "[request]")
{
    Response r{"Content-Length: 0\r\n"};
    r.context.date = "Sun, 22 Nov 2026 08:00:00 GMT";
    CHECK(has(r.sent(), "Date: Sun, 22 Nov 2026 08:00:00 GMT"));
}
