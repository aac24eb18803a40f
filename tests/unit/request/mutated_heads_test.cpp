// Twenty thousand damaged heads, the same on every run: none may crash the parser, none may be read
// differently when it arrives in two parts, and what is accepted must, written anew for the upstream, be
// understood there with the same framing and nothing hidden in it.
#include "http1/head_parser.hpp"
#include "request/header_rules.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <random>
#include <string>
#include <vector>

using namespace gw;
using Status = http1::ParseResult::Status;

namespace {

const std::vector<std::string> k_seeds = {
    "GET /v1/orders/12?limit=20 HTTP/1.1\r\nHost: api.example.com\r\nAccept: */*\r\nConnection: "
    "keep-alive\r\n\r\n",
    "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nContent-Type: application/json\r\n\r\n",
    "PUT /a/../b//c;v=1 HTTP/1.1\r\nhost: [::1]:80\r\ntransfer-encoding: chunked\r\nTE: trailers\r\nTrailer: "
    "X\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX-Gateway-Tenant: t\r\n\r\n",
    "GET http://a.example/x%2e%2e/%7e HTTP/1.1\r\nHost: a.example\r\nConnection: close, x-hop\r\nX-Hop: "
    "1\r\n\r\n",
    "HEAD / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nUpgrade: websocket\r\nVia: 1.0 b\r\n\r\n",
};

// What parsers have stumbled over before.
const std::vector<std::string> k_pieces = {"\r",
                                           "\n",
                                           "\r\n",
                                           "\r\n\r\n",
                                           " ",
                                           "\t",
                                           "\r\n ",
                                           ":",
                                           " :",
                                           ",",
                                           "\x01",
                                           "\x7f",
                                           "\xff",
                                           "#",
                                           "%",
                                           "%2f",
                                           "..",
                                           "/",
                                           "\\",
                                           "?",
                                           "Content-Length: 5\r\n",
                                           "Content-Length: 5, 5\r\n",
                                           "Transfer-Encoding: chunked\r\n",
                                           "Transfer-Encoding: gzip\r\n",
                                           "Host: b\r\n",
                                           "Connection: host, content-length\r\n",
                                           "HTTP/1.1",
                                           "HTTP/1.0",
                                           "0",
                                           "chunked",
                                           "X_Gateway_Tenant: evil\r\n",
                                           "Connection: close\r\n",
                                           std::string(1, '\0')};

std::string mutate(std::mt19937& random)
{
    std::string text = k_seeds[random() % k_seeds.size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
        const std::size_t at = random() % text.size();
        const std::string& piece = k_pieces[random() % k_pieces.size()];
        switch (random() % 6) {
        case 0:
            text[at] = static_cast<char>(random() % 256);
            break;
        case 1:
            text.erase(at, 1 + random() % 4);
            break;
        case 2:
            text.insert(at, piece);
            break;
        case 3:
            text.insert(text.find("\r\n") + 2, piece);
            break; // right behind the request line, if there is one
        case 4:
            text.insert(at, text.substr(random() % text.size(), random() % 24));
            break;
        default:
            text.replace(at, std::min(piece.size(), text.size() - at), piece);
            break;
        }
        if (text.empty())
            text = "G";
    }
    return text;
}

struct Parsed {
    std::vector<char> bytes; // a copy of exactly this size, so that the sanitizer sees a read beyond it
    std::array<http1::Field, 40> storage;
    http1::RequestHead head;
    http1::ParseResult result;

    explicit Parsed(std::string_view text) : bytes(text.begin(), text.end())
    {
        result = http1::parse_request_head({bytes.data(), bytes.size()}, storage, {}, head);
    }
};

// The bytes of the head that would be sent upstream; empty if the target is refused.
std::string rewrite(const Parsed& parsed)
{
    std::vector<char> scratch(parsed.head.target.size());
    http1::Target target;
    const bool is_options = parsed.head.method == http1::Method::options;
    if (http1::normalise_target(parsed.head.target, is_options, scratch, target) != http1::TargetError::none)
        return {};
    UpstreamHeadContext context{.head = parsed.head, .target = target};
    context.client_address = "192.0.2.7";
    context.request_id = "r";
    context.identity_fields = "X-Gateway-Tenant: acme\r\n";
    context.body = parsed.head.body;
    http1::HeadBuffer out{64};
    write_upstream_head(out, context);
    return std::string{out.view()};
}

void check_rewritten(const Parsed& parsed, const std::string& sent)
{
    const Parsed again{sent};
    INFO(sent << " -> " << again.result.detail);
    REQUIRE(again.result.status == Status::complete);
    REQUIRE(again.head.head_bytes == sent.size());
    REQUIRE(again.head.method_text == parsed.head.method_text);
    REQUIRE(again.head.host == parsed.head.host);
    REQUIRE(again.head.content_length == parsed.head.content_length);
    const bool gained_zero =
        parsed.head.body == http1::BodyKind::none && again.head.body == http1::BodyKind::length;
    REQUIRE((again.head.body == parsed.head.body || (gained_zero && again.head.content_length == 0)));
    int identities = 0;
    for (const http1::Field& field : again.head.fields)
        identities += field.id == http1::FieldName::gateway_identity ? 1 : 0;
    REQUIRE(identities == 1);
    // What is forwarded is normal: an upstream that normalises sees the same path.
    std::vector<char> scratch(again.head.target.size());
    http1::Target target;
    REQUIRE(http1::normalise_target(again.head.target, again.head.method == http1::Method::options, scratch,
                                    target) == http1::TargetError::none);
    REQUIRE(std::string{target.path} == again.head.target.substr(0, again.head.target.find('?')));
}

} // namespace

TEST_CASE("mutated heads: none crashes, and what is accepted is understood the same when written anew",
          "[request]")
{
    std::mt19937 random{20261122};
    int accepted = 0, refused = 0, waiting = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string text = mutate(random);
        const Parsed whole{text};
        INFO(i << ": " << text);
        const Parsed part{std::string_view{text}.substr(0, random() % text.size())};
        if (part.result.status != Status::need_more) {
            REQUIRE(part.result.status == whole.result.status);
            REQUIRE(part.result.error == whole.result.error);
        }
        accepted += whole.result.status == Status::complete ? 1 : 0;
        refused += whole.result.status == Status::refused ? 1 : 0;
        waiting += whole.result.status == Status::need_more ? 1 : 0;
        if (whole.result.status != Status::complete)
            continue;
        if (const std::string sent = rewrite(whole); !sent.empty())
            check_rewritten(whole, sent);
    }
    // The mutations are neither all harmless nor all fatal.
    CHECK(accepted > 2'000);
    CHECK(refused > 5'000);
    CHECK(waiting > 50);
}
