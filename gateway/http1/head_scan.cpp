#include "http1/head_scan.hpp"

#include "http1/field_name.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gw::http1 {
namespace {

using enum ParseResult::Status;

constexpr ParseResult malformed(const char* detail) noexcept
{
    return {refused, HeadError::malformed, detail};
}

constexpr std::size_t k_max_method_bytes = 32;

// The first byte below 0x20 or 0x7F, tabs included; `end` if there is none.
inline const char* find_control(const char* p, const char* end) noexcept
{
#ifdef __SSE2__
    const __m128i last_control = _mm_set1_epi8(0x1F), delete_byte = _mm_set1_epi8(0x7F);
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
        const int hits = _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, delete_byte)));
        if (hits != 0)
            return p + std::countr_zero(static_cast<unsigned>(hits));
    }
#endif
    while (p != end && static_cast<unsigned char>(*p) >= 0x20 && *p != 0x7F)
        ++p;
    return p;
}

// "HTTP/" DIGIT "." DIGIT CRLF, or as much of it as there is.
ParseResult scan_version(std::string_view text, RequestLine& line) noexcept
{
    constexpr std::string_view form = "HTTP/d.d\r\n";
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (i == text.size())
            return {need_more, HeadError::none, ""};
        const bool fits = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
        if (!fits)
            return malformed(i < 8 ? "the request line does not end in an HTTP version"
                                   : "the request line does not end in CRLF after the version");
    }
    line.major_version = text[5] - '0';
    line.minor_version = text[7] - '0';
    return {complete, HeadError::none, ""};
}

const char* describe_target_byte(char c) noexcept
{
    if (c == '#')
        return "the request target holds a fragment";
    if (c == '\r' || c == '\n')
        return "the request line has no HTTP version";
    return "the request target holds a control character or a byte above 0x7E";
}

} // namespace

ParseResult scan_request_line(std::string_view input, std::size_t max_target_bytes,
                              RequestLine& line) noexcept
{
    const char* const begin = input.data();
    const char* const end = begin + input.size();
    const char* p = begin;
    while (p != end && is_in(*p, k_token))
        ++p;
    const auto method_bytes = static_cast<std::size_t>(p - begin);
    if (method_bytes > k_max_method_bytes)
        return malformed("the method is too long");
    if (p == end)
        return {need_more, HeadError::none, ""};
    if (*p != ' ' || method_bytes == 0)
        return malformed("the method is not a token followed by one space");
    line.method = {begin, method_bytes};

    const char* const target = ++p;
    const char* const longest =
        target + std::min(static_cast<std::size_t>(end - target), max_target_bytes + 1);
    while (p != longest && is_in(*p, k_target))
        ++p;
    const auto target_bytes = static_cast<std::size_t>(p - target);
    if (target_bytes > max_target_bytes)
        return {refused, HeadError::target_too_long,
                "the request target is longer than this gateway accepts"};
    if (p == end)
        return {need_more, HeadError::none, ""};
    if (*p != ' ')
        return malformed(describe_target_byte(*p));
    if (target_bytes == 0)
        return malformed("the request target is empty");
    line.target = {target, target_bytes};
    ++p;
    line.size = static_cast<std::size_t>(p - begin) + 10;
    return scan_version({p, static_cast<std::size_t>(end - p)}, line);
}

ParseResult scan_lines(std::string_view input, bool at_first_field, std::size_t& size) noexcept
{
    const char* const begin = input.data();
    const char* const end = begin + input.size();
    const char* p = begin;
    for (bool at_line_start = at_first_field;; at_line_start = true) {
        if (at_line_start) {
            if (p == end)
                return {need_more, HeadError::none, ""};
            if (*p == ' ' || *p == '\t')
                return malformed("a header line begins with white space (obsolete line folding)");
            if (*p == '\r') {
                if (p + 1 == end)
                    return {need_more, HeadError::none, ""};
                if (p[1] != '\n')
                    return malformed("a CR stands alone");
                size = static_cast<std::size_t>(p + 2 - begin);
                return {complete, HeadError::none, ""};
            }
        }
        p = find_control(p, end);
        while (p != end && *p == '\t')
            p = find_control(p + 1, end);
        if (p == end)
            return {need_more, HeadError::none, ""};
        if (*p != '\r')
            return malformed(*p == '\n' ? "a line ends in LF without CR"
                                        : "a header line holds a control character");
        if (p + 1 == end)
            return {need_more, HeadError::none, ""};
        if (p[1] != '\n')
            return malformed("a CR stands alone");
        p += 2;
    }
}

} // namespace gw::http1
