// Refusals as responses: a status, a problem document and the fields each needs; valid JSON whatever the
// client sent.
#include "request/refusal.hpp"

#include "http1/head_parser.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <array>
#include <set>
#include <string>

using namespace gw;
namespace json = boost::json;

namespace {

struct Answer {
    std::string text, body;
    std::array<http1::Field, 32> storage;
    http1::ResponseHead head;
    json::object document;

    std::string field(std::string_view name) const
    {
        for (const auto& each : head.fields) {
            if (each.name == name)
                return std::string{each.value};
        }
        return {};
    }
    std::string member(std::string_view name) const
    {
        const auto* value = document.if_contains(name);
        return value == nullptr ? "" : std::string{value->as_string()};
    }
};

// What a client would read: parsed by our own strict parser and a JSON parser.
void answer(Answer& a, Refusal refusal, const RefusalContext& context)
{
    http1::HeadBuffer out{16};
    out.append("earlier"); // a refusal is appended
    write_refusal(out, refusal, context);
    a.text = std::string{out.view().substr(7)};
    const auto result = http1::parse_response_head(a.text, a.storage, {}, false, a.head);
    INFO(a.text);
    REQUIRE(result.status == http1::ParseResult::Status::complete);
    a.body = a.text.substr(a.head.head_bytes);
    REQUIRE(a.head.body == http1::BodyKind::length);
    if (context.head_request) {
        REQUIRE(a.body.empty());
        return;
    }
    REQUIRE(a.head.content_length == a.body.size());
    a.document = json::parse(a.body).as_object();
}

const std::array<std::string, 2> k_scopes{"orders:read", "orders:write"};

RefusalContext full_context()
{
    RefusalContext context;
    context.instance = "/v1/orders";
    context.request_id = "req-1";
    context.realm = "orders-read";
    context.allow = "GET, HEAD";
    context.required_scopes = k_scopes;
    return context;
}

} // namespace

TEST_CASE("refusal: every one has its status, code and a whole document", "[request]")
{
    const auto [refusal, status, code] = GENERATE(table<Refusal, int, std::string>({
        {Refusal::malformed_request, 400, "malformed_request"},
        {Refusal::ambiguous_target, 400, "ambiguous_target"},
        {Refusal::ambiguous_framing, 400, "ambiguous_framing"},
        {Refusal::bad_host, 400, "bad_host"},
        {Refusal::ambiguous_credential, 400, "ambiguous_credential"},
        {Refusal::head_timeout, 408, "head_timeout"},
        {Refusal::body_timeout, 408, "body_timeout"},
        {Refusal::body_too_large, 413, "body_too_large"},
        {Refusal::target_too_long, 414, "target_too_long"},
        {Refusal::unknown_expectation, 417, "unknown_expectation"},
        {Refusal::head_too_large, 431, "head_too_large"},
        {Refusal::unknown_method, 501, "unknown_method"},
        {Refusal::unknown_coding, 501, "unknown_coding"},
        {Refusal::unsupported_version, 505, "unsupported_version"},
        {Refusal::no_route, 404, "no_route"},
        {Refusal::method_not_allowed, 405, "method_not_allowed"},
        {Refusal::no_credential, 401, "no_credential"},
        {Refusal::invalid_key, 401, "invalid_key"},
        {Refusal::key_expired, 401, "key_expired"},
        {Refusal::key_disabled, 401, "key_disabled"},
        {Refusal::too_many_failures, 429, "too_many_failures"},
        {Refusal::insufficient_scope, 403, "insufficient_scope"},
        {Refusal::wrong_environment, 403, "wrong_environment"},
        {Refusal::tenant_not_allowed, 403, "tenant_not_allowed"},
        {Refusal::address_not_allowed, 403, "address_not_allowed"},
        {Refusal::over_limit, 429, "over_limit"},
        {Refusal::limiter_unavailable, 503, "limiter_unavailable"},
        {Refusal::hashing_overloaded, 503, "hashing_overloaded"},
        {Refusal::store_unavailable, 503, "store_unavailable"},
        {Refusal::overloaded, 503, "overloaded"},
        {Refusal::internal_error, 500, "internal_error"},
        {Refusal::upstream_unreachable, 502, "upstream_unreachable"},
        {Refusal::upstream_broken, 502, "upstream_broken"},
        {Refusal::upstream_timeout, 504, "upstream_timeout"},
    }));
    Answer a;
    answer(a, refusal, full_context());
    INFO(a.text);
    CHECK(status_of(refusal) == status);
    CHECK(code_of(refusal) == code);
    CHECK(a.head.status == status);
    CHECK(a.document["status"] == status);
    CHECK(a.member("code") == code);
    CHECK(a.member("request_id") == "req-1");
    CHECK(a.member("instance") == "/v1/orders");
    CHECK_FALSE(a.member("title").empty());
    CHECK_FALSE(a.member("detail").empty());
    CHECK_FALSE(a.member("type").empty());
    CHECK(a.field("Content-Type") == "application/problem+json");
    CHECK(a.field("Cache-Control") == "no-store");
    CHECK(a.field("X-Request-Id") == "req-1");
    CHECK((a.field("Connection") == "close") == closes_connection(refusal));
    CHECK(a.field("Allow") == (status == 405 ? "GET, HEAD" : ""));
    CHECK(a.field("Retry-After").empty() == (status != 429 && status != 503));
    CHECK(a.field("Proxy-Status").empty() == (status != 502 && status != 504));
}

TEST_CASE("refusal: codes are distinct", "[request]")
{
    std::set<std::string_view> codes;
    for (int i = 1; i <= static_cast<int>(Refusal::upstream_timeout); ++i)
        CHECK(codes.insert(code_of(static_cast<Refusal>(i))).second);
}

TEST_CASE("refusal: framing in doubt closes the connection", "[request]")
{
    for (const auto refusal : {Refusal::malformed_request, Refusal::ambiguous_framing, Refusal::bad_host,
                               Refusal::head_timeout, Refusal::body_timeout, Refusal::body_too_large,
                               Refusal::head_too_large, Refusal::target_too_long, Refusal::unknown_coding})
        CHECK(closes_connection(refusal));
    for (const auto refusal :
         {Refusal::no_route, Refusal::invalid_key, Refusal::over_limit, Refusal::ambiguous_target})
        CHECK_FALSE(closes_connection(refusal));
}

TEST_CASE("refusal: 401 challenges the client", "[request]")
{
    const auto [refusal, expected] = GENERATE(table<Refusal, std::string>({
        {Refusal::no_credential, "Bearer realm=\"orders-read\""},
        {Refusal::invalid_key, "Bearer realm=\"orders-read\", error=\"invalid_token\", "
                               "error_description=\"The API key is not valid.\""},
        {Refusal::key_expired, "Bearer realm=\"orders-read\", error=\"invalid_token\", "
                               "error_description=\"The API key has expired.\""},
        {Refusal::key_disabled, "Bearer realm=\"orders-read\", error=\"invalid_token\", "
                                "error_description=\"The API key has been disabled.\""},
    }));
    Answer a;
    answer(a, refusal, full_context());
    CHECK(a.field("WWW-Authenticate") == expected);
}

TEST_CASE("refusal: a 403 for scopes names them", "[request]")
{
    Answer a;
    answer(a, Refusal::insufficient_scope, full_context());
    CHECK(a.field("WWW-Authenticate") ==
          "Bearer realm=\"orders-read\", error=\"insufficient_scope\", scope=\"orders:read orders:write\"");
    CHECK(a.document["required_scopes"] == json::array({"orders:read", "orders:write"}));

    RefusalContext none;
    answer(a, Refusal::wrong_environment, none);
    CHECK(a.field("WWW-Authenticate") == "Bearer realm=\"portcullis\", error=\"insufficient_scope\"");
    CHECK_FALSE(a.document.contains("required_scopes"));
}

TEST_CASE("refusal: over the limit names the policies and when to come back", "[request]")
{
    const std::array<std::string_view, 2> policies{"burst", "day"};
    RefusalContext context = full_context();
    context.violated_policies = policies;
    context.retry_after_seconds = 42;
    context.extra_fields = "RateLimit: \"burst\";r=0;t=42\r\n";
    Answer a;
    answer(a, Refusal::over_limit, context);
    CHECK(a.member("type") == "https://iana.org/assignments/http-problem-types#quota-exceeded");
    CHECK(a.document["violated-policies"] == json::array({"burst", "day"}));
    CHECK(a.field("Retry-After") == "42");
    CHECK(a.field("RateLimit") == "\"burst\";r=0;t=42");
}

TEST_CASE("refusal: Retry-After is never 0", "[request]")
{
    RefusalContext context;
    context.retry_after_seconds = GENERATE(0, -5);
    Answer a;
    answer(a, Refusal::over_limit, context);
    CHECK(a.field("Retry-After") == "1");
}

TEST_CASE("refusal: malformed, unknown and revoked keys look alike whatever a caller adds", "[request]")
{
    RefusalContext first = full_context(), second = full_context();
    second.detail = "this key was revoked";
    Answer a, b;
    answer(a, Refusal::invalid_key, first);
    answer(b, Refusal::invalid_key, second);
    CHECK(a.text == b.text);
}

TEST_CASE("refusal: a caller's detail and Proxy-Status are shown", "[request]")
{
    RefusalContext context = full_context();
    context.detail = "Host is missing";
    context.proxy_status = "portcullis; error=connection_terminated";
    Answer a;
    answer(a, Refusal::bad_host, context);
    CHECK(a.member("detail") == "Host is missing");
    CHECK(a.field("Proxy-Status").empty());
    answer(a, Refusal::upstream_broken, context);
    CHECK(a.field("Proxy-Status") == "portcullis; error=connection_terminated");
    context.proxy_status = {};
    answer(a, Refusal::upstream_timeout, context);
    CHECK(a.field("Proxy-Status") == "portcullis; error=http_response_timeout");
}

TEST_CASE("refusal: whatever the client sent, the document stays valid JSON", "[request]")
{
    std::string instance = "/";
    for (int c = 1; c < 256; ++c) {
        if (c != '?')
            instance += static_cast<char>(c);
    }
    RefusalContext context;
    context.instance = instance;
    Answer a;
    answer(a, Refusal::malformed_request, context);
    std::string expected; // bytes above 0x7E are shown as the code points of the same number
    for (const char ch : instance) {
        const auto c = static_cast<unsigned char>(ch);
        if (c < 0x80) {
            expected += ch;
        } else {
            expected += static_cast<char>(0xC0 | (c >> 6));
            expected += static_cast<char>(0x80 | (c & 0x3F));
        }
    }
    CHECK(a.member("instance") == expected);
}

TEST_CASE("refusal: the instance has no query and is bounded", "[request]")
{
    RefusalContext context;
    context.instance = "/a?api_key=secret";
    Answer a;
    answer(a, Refusal::no_route, context);
    CHECK(a.member("instance") == "/a");
    const std::string longer = "/" + std::string(5000, 'a');
    context.instance = longer;
    answer(a, Refusal::no_route, context);
    CHECK(a.member("instance").size() == 512);
}

TEST_CASE("refusal: to HEAD the body is left out and its length kept", "[request]")
{
    RefusalContext context = full_context();
    Answer with_body, without;
    answer(with_body, Refusal::no_route, context);
    context.head_request = true;
    answer(without, Refusal::no_route, context);
    CHECK(without.head.content_length == with_body.body.size());
}

TEST_CASE("refusal: the connection's fate follows context and version", "[request]")
{
    RefusalContext context;
    Answer a;
    answer(a, Refusal::no_route, context);
    CHECK(a.field("Connection").empty());
    context.minor_version = 0;
    answer(a, Refusal::no_route, context);
    CHECK(a.field("Connection") == "keep-alive");
    context.close = true;
    answer(a, Refusal::no_route, context);
    CHECK(a.field("Connection") == "close");
}

TEST_CASE("refusal: a refused head becomes the refusal of the same status", "[request]")
{
    for (int i = 1; i <= static_cast<int>(http1::HeadError::unknown_expectation); ++i) {
        const auto error = static_cast<http1::HeadError>(i);
        CHECK(status_of(refusal_for(error)) == http1::status_of(error));
        CHECK(closes_connection(refusal_for(error)));
    }
}

TEST_CASE("refusal: outcomes are counted under their kind", "[request]")
{
    CHECK(outcome_of(Refusal::invalid_key) == Outcome::unauthenticated);
    CHECK(outcome_of(Refusal::wrong_environment) == Outcome::forbidden);
    CHECK(outcome_of(Refusal::over_limit) == Outcome::limited);
    CHECK(outcome_of(Refusal::too_many_failures) == Outcome::too_many_failures);
    CHECK(outcome_of(Refusal::upstream_timeout) == Outcome::upstream_timeout);
    CHECK(outcome_of(Refusal::bad_host) == Outcome::refused_request);
}
