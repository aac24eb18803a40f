// The first look at a head, before Beast's parser sees it: where it ends, the request line, and every byte
// that must not stand in it. Given more bytes it comes to the same answer as for all at once, and it refuses
// as soon as it can, so that junk is not waited for.
#pragma once

#include "http1/head_parser.hpp"

#include <cstddef>
#include <string_view>

namespace gw::http1 {

struct RequestLine {
    std::string_view method, target;
    int major_version = 0, minor_version = 0;
    std::size_t size = 0; // with its CRLF
};

// complete: `line` is set. Syntax only; method and version are whatever they are.
ParseResult scan_request_line(std::string_view input, std::size_t max_target_bytes,
                              RequestLine& line) noexcept;

// From the start of the first field line (or, for a response, from the start of its status line) to behind
// the empty line. complete: `size` says how many bytes. Refuses bare CR and LF, controls and folded lines.
ParseResult scan_lines(std::string_view input, bool at_first_field, std::size_t& size) noexcept;

} // namespace gw::http1
