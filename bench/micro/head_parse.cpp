// Parsing a request head and normalising its target: a small one as API clients send it, and a browser's.
#include "bench/micro/timing.hpp"
#include "http1/head_parser.hpp"
#include "http1/target.hpp"

#include <array>
#include <string>

using namespace gw;

namespace {

const std::string k_small = "GET /v1/orders/42?expand=lines HTTP/1.1\r\n"
                            "Host: api.example.com\r\n"
                            "Authorization: Bearer pc_live_0000000000000000000000000000000000000000000000000000000000\r\n"
                            "User-Agent: curl/7.88.1\r\n"
                            "Accept: */*\r\n\r\n";

const std::string k_browser =
    "POST /v1/orders HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "Accept-Language: en-GB,en;q=0.8,de;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Content-Type: application/json\r\n"
    "X-API-Key: pc_live_0000000000000000000000000000000000000000000000000000000000\r\n"
    "Content-Length: 512\r\n"
    "Origin: https://shop.example.com\r\n"
    "Referer: https://shop.example.com/checkout\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-site\r\n"
    "Priority: u=0\r\n\r\n";

void time_head(const char* name, const std::string& text)
{
    std::array<http1::Field, 100> fields;
    std::array<char, 8192> scratch;
    bench::time_operation(name, [&](std::size_t) {
        http1::RequestHead head;
        const auto parsed = http1::parse_request_head(text, fields, http1::HeadLimits{}, head);
        http1::Target target;
        const auto error = http1::normalise_target(head.target, false, scratch, target);
        bench::require(parsed.status == http1::ParseResult::Status::complete && error == http1::TargetError::none,
                       "a good head was refused");
        bench::keep(target);
    });
}

} // namespace

int main()
{
    time_head("head parse: 5 fields", k_small);
    time_head("head parse: 17 fields", k_browser);
}
