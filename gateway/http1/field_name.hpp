// Names of fields, and the small text rules that heads, trailers and targets share: which bytes may stand
// where, and comparison without case. Nothing here allocates.
#pragma once

#include "http1/head.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace gw::http1 {

// What a byte may be part of; a set of bits.
enum ByteClass : std::uint8_t {
    k_token = 1,      // RFC 9110 section 5.6.2: methods and field names
    k_target = 2,     // 0x21..0x7E without '#'
    k_hex = 4,        // hexadecimal digit
    k_unreserved = 8, // RFC 3986 section 2.3
    k_plain_path =
        16, // stands for itself in a path: unreserved and most delimiters, but not '/', '%', '\', ';' or '?'
};
extern const std::array<std::uint8_t, 256> k_byte_classes;

inline bool is_in(char c, ByteClass wanted) noexcept
{
    return (k_byte_classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

// Control characters that no field value may hold (RFC 9110 section 5.5); HT may.
inline bool is_control(char c) noexcept
{
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

inline char to_lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// The value of a hexadecimal digit, or -1.
int hex_value(char c) noexcept;

// ASCII comparison without case.
bool equals_without_case(std::string_view a, std::string_view b) noexcept;

// Without the spaces and tabs around it.
std::string_view trim(std::string_view text) noexcept;

// Takes the next member off a comma-separated list, trimmed; false when the list is over. Members may be
// empty.
bool next_list_member(std::string_view& list, std::string_view& member) noexcept;

// Which of the known names this is; `name` is a token. X-Gateway-* in any case and with any separator, and
// the forwarding fields spelled with '_' (which some servers fold into '-'), are gateway_identity: never
// believed.
FieldName classify_field(std::string_view name) noexcept;

// Whether `Connection: name` makes such a field hop-by-hop. Not those that framing, routing, authentication
// or tracing rest on: nobody may make them vanish between a check of ours and the upstream.
bool may_be_nominated(FieldName id) noexcept;

// Whether a trailer of this name may pass on: none that frames, routes, authenticates or controls
// (RFC 9110 section 6.5.1), and none that only the gateway may send.
bool may_be_trailer(std::string_view name) noexcept;

// Exact and case-sensitive; `other` for a token that is none of them.
Method classify_method(std::string_view text) noexcept;

} // namespace gw::http1
