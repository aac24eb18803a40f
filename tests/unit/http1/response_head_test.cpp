// Heads of responses: where their bodies end, whether the connection can be used again, and what breaks
// framing.
#include "http1/head_parser.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <vector>

using namespace gw::http1;
using Status = ParseResult::Status;

namespace {

struct Parsed {
    ParseResult result;
    ResponseHead head;
    std::array<Field, 100> storage;
};

void parse(Parsed& parsed, std::string_view input, bool to_head = false, const HeadLimits& limits = {})
{
    parsed.result = parse_response_head(input, parsed.storage, limits, to_head, parsed.head);
}

void check_at_every_cut(const std::string& input, HeadError expected)
{
    Parsed whole;
    parse(whole, input);
    INFO(input << " -> " << whole.result.detail);
    REQUIRE(whole.result.error == expected);
    REQUIRE(whole.result.status == (expected == HeadError::none ? Status::complete : Status::refused));
    for (std::size_t cut = 0; cut < input.size(); ++cut) {
        const std::vector<char> part(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(cut));
        Parsed first;
        parse(first, {part.data(), part.size()});
        INFO("cut at " << cut);
        if (first.result.status != Status::need_more)
            REQUIRE(first.result.error == expected);
        if (first.result.status == Status::complete)
            FAIL("complete before its end");
    }
}

struct Case {
    std::string status_line, fields;
    bool to_head;
    BodyKind body;
    bool keep_alive;
};

} // namespace

TEST_CASE("response head: body and connection follow status, method, version and fields", "[http1]")
{
    const auto c = GENERATE(values<Case>({
        {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", false, BodyKind::length, true},
        {"HTTP/1.1 200 ", "Content-Length: 0\r\n", false, BodyKind::length, true},
        {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", false, BodyKind::chunked, true},
        {"HTTP/1.1 200 OK", "", false, BodyKind::until_close, false},
        {"HTTP/1.1 200 OK", "Content-Length: 5\r\nConnection: close\r\n", false, BodyKind::length, false},
        {"HTTP/1.0 200 OK", "Content-Length: 5\r\n", false, BodyKind::length, false},
        {"HTTP/1.0 200 OK", "Content-Length: 5\r\nConnection: keep-alive\r\n", false, BodyKind::length, true},
        {"HTTP/1.0 200 OK", "Connection: keep-alive\r\n", false, BodyKind::until_close, false},
        {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", true, BodyKind::none, true},
        {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", true, BodyKind::none, true},
        {"HTTP/1.1 200 OK", "", true, BodyKind::none, true},
        {"HTTP/1.1 204 No Content", "", false, BodyKind::none, true},
        {"HTTP/1.1 204 No Content", "Content-Length: 0\r\n", false, BodyKind::none, true},
        {"HTTP/1.1 204 No Content", "Content-Length: 9\r\n", false, BodyKind::none, false},
        {"HTTP/1.1 204 No Content", "Transfer-Encoding: chunked\r\n", false, BodyKind::none, false},
        {"HTTP/1.1 304 Not Modified", "Content-Length: 9\r\n", false, BodyKind::none, true},
        {"HTTP/1.1 100 Continue", "", false, BodyKind::none, true},
        {"HTTP/1.1 103 Early Hints", "Link: </a>\r\n", false, BodyKind::none, true},
    }));
    const std::string input = c.status_line + "\r\n" + c.fields + "\r\n";
    INFO(input);
    Parsed parsed;
    parse(parsed, input, c.to_head);
    REQUIRE(parsed.result.status == Status::complete);
    CHECK(parsed.head.body == c.body);
    CHECK(parsed.head.keep_alive == c.keep_alive);
    CHECK(parsed.head.head_bytes == input.size());
}

TEST_CASE("response head: what was sent is reported", "[http1]")
{
    Parsed parsed;
    parse(parsed,
          "HTTP/1.1 404 Not  Found\xe9\r\nContent-Length: 7\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\nrest",
          true);
    REQUIRE(parsed.result.status == Status::complete);
    CHECK(parsed.head.status == 404);
    CHECK(parsed.head.reason == "Not  Found\xe9");
    CHECK(parsed.head.has_content_length);
    CHECK(parsed.head.content_length == 7);
    CHECK(parsed.head.fields[2].nominated);
}

TEST_CASE("response head: what is malformed is refused", "[http1]")
{
    const auto input = GENERATE(values<std::string>({
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\n A: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \x02\r\n\r\n",
        "HTTP/1.1 200 O\x01K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: 1\rB: 2\r\n\r\n",
    }));
    check_at_every_cut(input, HeadError::malformed);
}

TEST_CASE("response head: framing that contradicts itself is refused", "[http1]")
{
    const auto fields = GENERATE(values<std::string>({
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
    }));
    check_at_every_cut("HTTP/1.1 200 OK\r\n" + fields + "\r\n", HeadError::ambiguous_framing);
}

TEST_CASE("response head: codings, versions and bodies that cannot be are refused", "[http1]")
{
    const auto [input, error] = GENERATE(table<std::string, HeadError>({
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", HeadError::unknown_transfer_coding},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HeadError::unknown_transfer_coding},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::ambiguous_framing},
        {"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", HeadError::ambiguous_framing},
        {"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::ambiguous_framing},
        {"HTTP/1.2 200 OK\r\n\r\n", HeadError::unsupported_version},
        {"HTTP/2.0 200 OK\r\n\r\n", HeadError::malformed},
    }));
    check_at_every_cut(input, error);
}

TEST_CASE("response head: limits hold", "[http1]")
{
    HeadLimits limits;
    limits.head_bytes = 64;
    Parsed parsed;
    parse(parsed, "HTTP/1.1 200 OK\r\nX: " + std::string(64, 'a'), false, limits);
    CHECK(parsed.result.error == HeadError::head_too_large);
    limits = {};
    limits.fields = 1;
    parse(parsed, "HTTP/1.1 200 OK\r\nA: 1\r\nB: 1\r\n\r\n", false, limits);
    CHECK(parsed.result.error == HeadError::too_many_fields);
}
