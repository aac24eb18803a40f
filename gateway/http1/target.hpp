// Normalises a request target (RFC 9112 section 3.2, RFC 3986 section 6.2.2) and refuses every spelling that
// an upstream could read differently from us. The normalised form is what is matched and what is forwarded.
#pragma once

#include <span>
#include <string_view>

namespace gw::http1 {

struct Target {
    std::string_view path;      // normalised, starts with '/'; "*" for OPTIONS *
    std::string_view query;     // as sent, without '?', checked for invalid characters
    bool has_query = false;
    std::string_view authority; // of the absolute form; empty for origin form
};

enum class TargetError : unsigned char {
    none,
    not_a_path,         // neither origin form nor absolute form (nor * with OPTIONS)
    invalid_character,  // '#', control, raw byte above 0x7E, space ...
    bad_escape,         // '%' not followed by two hex digits
    encoded_separator,  // %2F, %5C, or a raw backslash
    encoded_control,    // %00..%1F, %7F
    ambiguous_dots,     // double-encoded or ';'-adorned dot segments, overlong UTF-8, "%252e"
    above_root,         // more ".." than segments
    too_long,           // `scratch` is too small
};
const char* describe(TargetError error) noexcept; // static sentence

// `scratch` must hold at least raw.size() bytes and outlive `target`. If the path is already normal,
// target.path may be a view into `raw` itself (the common case costs no copy).
TargetError normalise_target(std::string_view raw, bool is_options, std::span<char> scratch, Target& target) noexcept;

// Splits "http://authority/rest" (or https, any case). `rest` is what follows the authority: empty, or begins
// with '/' or '?'. False if `raw` is not of the absolute form.
bool split_absolute_form(std::string_view raw, std::string_view& authority, std::string_view& rest) noexcept;

// Host (or authority) syntax: reg-name, IPv4, or bracketed IPv6, with an optional port; not empty.
bool is_valid_host(std::string_view host) noexcept;
// Without the port; a view.
std::string_view host_without_port(std::string_view host) noexcept;

} // namespace gw::http1
