// Heads of requests: what is accepted and what it means, and every refusal of RFC 9112 and of the rules on
// top of it, each also with the bytes arriving in two parts, cut at every position.
#include "http1/head_parser.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <vector>

using namespace gw::http1;
using namespace std::string_literals;
using Status = ParseResult::Status;

namespace {

struct Parsed {
    ParseResult result;
    RequestHead head;
    std::array<Field, 100> storage;
};

void parse(Parsed& parsed, std::string_view input, const HeadLimits& limits = {})
{
    parsed.result = parse_request_head(input, parsed.storage, limits, parsed.head);
}

// The same bytes, first cut at every position and then whole: the answer must not depend on the cut.
void check_at_every_cut(const std::string& input, HeadError expected, const HeadLimits& limits = {})
{
    Parsed whole;
    parse(whole, input, limits);
    INFO(input << " -> " << whole.result.detail);
    REQUIRE(whole.result.status == (expected == HeadError::none ? Status::complete : Status::refused));
    REQUIRE(whole.result.error == expected);
    for (std::size_t cut = 0; cut < input.size(); ++cut) {
        const std::vector<char> part(input.begin(),
                                     input.begin() + static_cast<std::ptrdiff_t>(cut)); // exact, for ASan
        Parsed first;
        parse(first, {part.data(), part.size()}, limits);
        if (first.result.status == Status::need_more)
            continue;
        INFO("cut at " << cut);
        REQUIRE(first.result.status == whole.result.status);
        REQUIRE(first.result.error == whole.result.error);
        REQUIRE(std::string_view{first.result.detail} == whole.result.detail);
    }
}

std::string get(const std::string& fields)
{
    return "GET / HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n";
}

} // namespace

TEST_CASE("head_parser: an ordinary request is complete, at every cut", "[http1]")
{
    const std::string input =
        "POST /v1/orders?x=1 HTTP/1.1\r\nHost: api.example.com:8080\r\nContent-Length: 12\r\n"
        "Accept:\t text/html \r\nX-Empty:\r\n\r\n";
    check_at_every_cut(input, HeadError::none);

    Parsed parsed;
    const std::string with_body = input + "hello, world";
    parse(parsed, with_body);
    const RequestHead& head = parsed.head;
    CHECK(head.method == Method::post);
    CHECK(head.method_text == "POST");
    CHECK(head.target == "/v1/orders?x=1");
    CHECK(head.host == "api.example.com:8080");
    CHECK(head.minor_version == 1);
    CHECK(head.body == BodyKind::length);
    CHECK(head.content_length == 12);
    CHECK(head.keep_alive);
    CHECK(head.head_bytes == input.size());
    REQUIRE(head.fields.size() == 4);
    CHECK(head.fields[2].name == "Accept");
    CHECK(head.fields[2].value == "text/html");
    CHECK(head.fields[3].value.empty());
}

TEST_CASE("head_parser: what is well-formed is accepted", "[http1]")
{
    const auto input = GENERATE(values<std::string>({
        get(""),
        get("Content-Length: 0\r\n"),
        get("Content-Length: 9223372036854775807\r\n"),
        get("Transfer-Encoding: chunked\r\n"),
        get("transfer-encoding: Chunked \r\n"),
        get("X: caf\xc3\xa9\r\n"), // obs-text in a value is only data
        get("Connection: close, , keep-alive\r\n"),
        get("Expect: 100-Continue\r\n"),
        "\r\n" + get(""), // one empty line before a request (RFC 9112 section 2.2)
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a.example/x HTTP/1.1\r\nHost: A.example\r\n\r\n",
        "GET HTTPS://a.example?x HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET /a|b{c}?q=[1]&r=\"x\" HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "PATCH /a HTTP/1.1\r\nhost:a\r\n\r\n",
    }));
    check_at_every_cut(input, HeadError::none);
}

TEST_CASE("head_parser: what is malformed is refused", "[http1]")
{
    const auto input = GENERATE(values<std::string>({
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\rX: 1\r\n\r\n",
        "GET / HTTP/1.1\rHost: a\r\n\r\n",
        "GET /\r\n\r\n", // HTTP/0.9
        "GET / HTTP/11\r\nHost: a\r\n\r\n",
        "GET / http/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s,
        "GET a.example HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        get("X : 1\r\n"),
        get("X\t: 1\r\n"),
        get(" X: 1\r\n"),
        get("X: 1\r\n folded\r\n"),
        get("X: 1\r\n\tfolded\r\n"),
        get("X\r\n"),
        get(": 1\r\n"),
        get("X@Y: 1\r\n"),
        get("X: a\x01"
            "b\r\n"),
        get("X: a\x7f"
            "b\r\n"),
        get("X: a\0b\r\n"s),
        get("X: a\rb\r\n"),
        get("X: a\nY: b\r\n"),
        get("Connection: a b\r\n"),
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n", // folded at the very first field
        "\x16\x03\x01\x02",                   // a TLS hello
    }));
    check_at_every_cut(input, HeadError::malformed);
}

TEST_CASE("head_parser: ambiguous framing is refused", "[http1]")
{
    const auto fields = GENERATE(values<std::string>({
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5,\r\n",
        "Content-Length:\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: 0x10\r\n",
        "Content-Length: 1 0\r\n",
        "Content-Length: 1e3\r\n",
        "Content-Length: 9223372036854775808\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: , chunked\r\n",
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding:\r\n",
    }));
    check_at_every_cut(get(fields), HeadError::ambiguous_framing);
}

TEST_CASE("head_parser: a transfer coding in HTTP/1.0 is refused", "[http1]")
{
    check_at_every_cut("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                       HeadError::ambiguous_framing);
}

TEST_CASE("head_parser: an unknown transfer coding is refused as such", "[http1]")
{
    const auto coding =
        GENERATE(values<std::string>({"gzip", "gzip, chunked", "identity", "xchunked", "chunked-x"}));
    check_at_every_cut(get("Transfer-Encoding: " + coding + "\r\n"), HeadError::unknown_transfer_coding);
}

TEST_CASE("head_parser: a missing, repeated, invalid or contradicting Host is refused", "[http1]")
{
    const auto input = GENERATE(values<std::string>({
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n",
        "GET http://u:p@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\n\r\n",
    }));
    check_at_every_cut(input, HeadError::bad_host);
}

TEST_CASE("head_parser: methods that are not forwarded are refused", "[http1]")
{
    const auto method =
        GENERATE(values<std::string>({"get", "Get", "CONNECT", "TRACE", "BREW", "PROPFIND", "G"}));
    check_at_every_cut(method + " / HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::unknown_method);
}

TEST_CASE("head_parser: other versions are refused as unsupported", "[http1]")
{
    const auto input = GENERATE(values<std::string>({
        "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    }));
    check_at_every_cut(input, HeadError::unsupported_version);
}

TEST_CASE("head_parser: an unknown expectation is refused", "[http1]")
{
    check_at_every_cut(get("Expect: 200-ok\r\n"), HeadError::unknown_expectation);
    check_at_every_cut(get("Expect: 100-continue\r\nExpect: more\r\n"), HeadError::unknown_expectation);
}

TEST_CASE("head_parser: an expectation in HTTP/1.0 is ignored", "[http1]")
{
    Parsed parsed;
    parse(parsed, "GET / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    CHECK(parsed.result.status == Status::complete);
    CHECK_FALSE(parsed.head.expect_continue);
}

TEST_CASE("head_parser: a head of exactly the limit passes and one byte more is refused", "[http1]")
{
    const std::string input = get("X: 0123456789\r\n");
    HeadLimits limits;
    limits.head_bytes = input.size();
    check_at_every_cut(input, HeadError::none, limits);
    limits.head_bytes = input.size() - 1;
    check_at_every_cut(input, HeadError::head_too_large, limits);
}

TEST_CASE("head_parser: an endless head is refused once the limit is reached", "[http1]")
{
    HeadLimits limits;
    limits.head_bytes = 128;
    limits.target_bytes = 1000;
    Parsed parsed;
    parse(parsed, get("X: " + std::string(200, 'a') + "\r\n"), limits);
    CHECK(parsed.result.error == HeadError::head_too_large);
    parse(parsed, "GET /" + std::string(123, 'a'), limits);
    CHECK(parsed.result.error == HeadError::head_too_large);
    parse(parsed, "GET /" + std::string(122, 'a'), limits);
    CHECK(parsed.result.status == Status::need_more);
}

TEST_CASE("head_parser: a target of exactly the limit passes and one byte more is refused", "[http1]")
{
    HeadLimits limits;
    limits.target_bytes = 8;
    check_at_every_cut("GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::none, limits);
    check_at_every_cut("GET /12345678 HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::target_too_long, limits);
}

TEST_CASE("head_parser: more fields than the limit or the storage are refused", "[http1]")
{
    HeadLimits limits;
    limits.fields = 3;
    check_at_every_cut(get("A: 1\r\nB: 2\r\n"), HeadError::none, limits);
    check_at_every_cut(get("A: 1\r\nB: 2\r\nC: 3\r\n"), HeadError::too_many_fields, limits);

    std::array<Field, 2> storage;
    RequestHead head;
    CHECK(parse_request_head(get("A: 1\r\nB: 2\r\n"), storage, {}, head).error == HeadError::too_many_fields);
}

TEST_CASE("head_parser: the wish to keep the connection follows version and Connection", "[http1]")
{
    const auto [version, connection, expected] = GENERATE(table<std::string, std::string, bool>({
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: keep-alive, CLOSE\r\n", false},
        {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
        {"1.0", "", false},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
        {"1.0", "Proxy-Connection: keep-alive\r\n", false},
    }));
    Parsed parsed;
    const std::string input = "GET / HTTP/" + version + "\r\nHost: a\r\n" + connection + "\r\n";
    parse(parsed, input);
    INFO(input);
    REQUIRE(parsed.result.status == Status::complete);
    CHECK(parsed.head.keep_alive == expected);
}

TEST_CASE("head_parser: fields named by Connection are nominated, but none that checks rest on", "[http1]")
{
    Parsed parsed;
    const std::string input =
        get("Connection: x-hop, keep-alive, host, authorization, content-length, x-gateway-tenant, "
            "X-Forwarded-For\r\n"
            "X-Hop: 1\r\nX-Keep: 2\r\nAuthorization: Bearer t\r\nContent-Length: 3\r\nX-Gateway-Tenant: t\r\n"
            "X-Forwarded-For: 1.2.3.4\r\n");
    parse(parsed, input);
    REQUIRE(parsed.result.status == Status::complete);
    for (const Field& field : parsed.head.fields) {
        INFO(field.name);
        CHECK(field.nominated == (field.name == "X-Hop"));
    }
}

TEST_CASE("head_parser: a Connection of very many options is refused", "[http1]")
{
    std::string options = "a";
    for (int i = 0; i < 40; ++i)
        options += ",a";
    check_at_every_cut(get("Connection: " + options + "\r\n"), HeadError::malformed);
}

TEST_CASE("head_parser: upgrade, trailers and expectation are reported", "[http1]")
{
    Parsed parsed;
    const std::string input =
        get("Connection: Upgrade, TE\r\nUpgrade: websocket\r\nTE: deflate;q=0.5, Trailers\r\n"
            "Expect: 100-continue\r\n");
    parse(parsed, input);
    CHECK(parsed.head.upgrade == "websocket");
    CHECK(parsed.head.has_trailer_te);
    CHECK(parsed.head.expect_continue);

    const std::string unnamed = get("Upgrade: websocket\r\n");
    parse(parsed, unnamed);
    CHECK(parsed.head.upgrade.empty());
}

TEST_CASE("head_parser: pipelined requests are told apart", "[http1]")
{
    const std::string one = get("A: 1\r\n"), two = get("B: 2\r\n");
    Parsed parsed;
    const std::string both = one + two;
    parse(parsed, both);
    REQUIRE(parsed.result.status == Status::complete);
    CHECK(parsed.head.head_bytes == one.size());
    parse(parsed, std::string_view{both}.substr(one.size()));
    REQUIRE(parsed.result.status == Status::complete);
    CHECK(parsed.head.fields[1].name == "B");
}

TEST_CASE("head: every error has its status", "[http1]")
{
    const auto [error, status] = GENERATE(table<HeadError, int>({
        {HeadError::malformed, 400},
        {HeadError::ambiguous_framing, 400},
        {HeadError::bad_host, 400},
        {HeadError::head_too_large, 431},
        {HeadError::too_many_fields, 431},
        {HeadError::target_too_long, 414},
        {HeadError::unknown_method, 501},
        {HeadError::unknown_transfer_coding, 501},
        {HeadError::unsupported_version, 505},
        {HeadError::unknown_expectation, 417},
    }));
    CHECK(status_of(error) == status);
}
