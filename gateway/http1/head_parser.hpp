// Parses heads strictly: a class over Beast's basic_parser that keeps views, and rules of ours where Beast is
// lenient (DESIGN.md section 10). No sockets. Allocates nothing.
#pragma once

#include "http1/head.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace gw::http1 {

struct HeadLimits {
    std::size_t head_bytes = 16 * 1024;
    std::size_t fields = 100;
    std::size_t target_bytes = 8 * 1024;
};

struct ParseResult {
    enum class Status { complete, need_more, refused } status = Status::need_more;
    HeadError error = HeadError::none;
    const char* detail = ""; // static text for the problem document: what is wrong, no client bytes in it
};

// `input` is all that has been received of this head so far and what follows it, contiguous, starting at its
// first byte; call again with more after need_more. `storage` receives the fields and must outlive `head`.
// A complete head says in `head_bytes` where the body begins. `need_more` with input of limits.head_bytes or
// more does not occur: it is refused. Leading empty lines (at most one CRLF, RFC 9112 section 2.2) are
// counted into head_bytes.
ParseResult parse_request_head(std::string_view input, std::span<Field> storage, const HeadLimits& limits,
                               RequestHead& head) noexcept;

// `to_head_request`, `to_connect`: what the request's method makes of the body. Status 1xx heads are returned
// like any other (the caller goes on to the next).
ParseResult parse_response_head(std::string_view input, std::span<Field> storage, const HeadLimits& limits,
                                bool to_head_request, ResponseHead& head) noexcept;

} // namespace gw::http1
