#include "http1/target.hpp"

#include "domain/network.hpp"
#include "http1/field_name.hpp"

#include <algorithm>

namespace gw::http1 {
namespace {

constexpr char k_upper_hex[] = "0123456789ABCDEF";

// The byte that "%xy" at `at` stands for; -1 if it is no escape.
int escaped_byte(std::string_view text, std::size_t at) noexcept
{
    if (at + 2 >= text.size() || text[at] != '%')
        return -1;
    const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// What stands behind "%25": a second decoder would read "%25" + "2e" as a dot. Any depth is looked through.
TargetError check_double_encoding(std::string_view path, std::size_t at) noexcept
{
    at += 3;
    while (path.substr(at, 2) == "25")
        at += 2;
    if (at + 1 >= path.size())
        return TargetError::none;
    const int high = hex_value(path[at]), low = hex_value(path[at + 1]);
    if (high < 0 || low < 0)
        return TargetError::none;
    const int byte = high * 16 + low;
    if (byte == '.')
        return TargetError::ambiguous_dots;
    if (byte == '/' || byte == '\\')
        return TargetError::encoded_separator;
    return byte < 0x20 || byte == 0x7F ? TargetError::encoded_control : TargetError::none;
}

// Bytes that lenient UTF-8 decoders fold into ASCII, such as C0 AE into a dot.
bool is_overlong_utf8(int byte, int following) noexcept
{
    if (byte == 0xC0 || byte == 0xC1 || byte >= 0xF8)
        return true;
    return (byte == 0xE0 && following >= 0x80 && following < 0xA0) ||
           (byte == 0xF0 && following >= 0x80 && following < 0x90);
}

// Writes one escape of the path, normalised; `at` stays at its '%'.
TargetError write_escape(std::string_view path, std::size_t at, char*& out) noexcept
{
    const int byte = escaped_byte(path, at);
    if (byte < 0)
        return TargetError::bad_escape;
    if (byte < 0x20 || byte == 0x7F)
        return TargetError::encoded_control;
    if (byte == '/' || byte == '\\')
        return TargetError::encoded_separator;
    if (byte >= 0x80 && is_overlong_utf8(byte, escaped_byte(path, at + 3)))
        return TargetError::ambiguous_dots;
    if (byte == '%') {
        if (const auto error = check_double_encoding(path, at); error != TargetError::none)
            return error;
    }
    const char c = static_cast<char>(byte);
    if (is_in(c, k_unreserved)) {
        *out++ = c;
        return TargetError::none;
    }
    *out++ = '%';
    *out++ = k_upper_hex[byte >> 4];
    *out++ = k_upper_hex[byte & 15];
    return TargetError::none;
}

bool is_dots(std::string_view text) noexcept
{
    return text == "." || text == "..";
}

// Whether servers that cut path parameters off would see a dot segment (or none) where others see a name.
bool hides_dots(std::string_view segment) noexcept
{
    if (segment.find(';') == segment.npos && segment.find("%3B") == segment.npos)
        return false;
    std::size_t from = 0;
    while (true) {
        const std::size_t plain = std::min(segment.find(';', from), segment.size());
        const std::size_t escaped = std::min(segment.find("%3B", from), segment.size());
        const std::size_t end = std::min(plain, escaped);
        if (is_dots(segment.substr(from, end - from)))
            return true;
        if (end == segment.size())
            return false;
        from = end + (plain < escaped ? 1 : 3);
    }
}

// Builds a normalised path segment by segment.
class PathWriter {
public:
    explicit PathWriter(char* begin) noexcept : begin_(begin), out_(begin) {}

    TargetError write(std::string_view path) noexcept
    {
        for (std::size_t at = 0; at < path.size();) {
            while (at < path.size() && path[at] == '/')
                ++at; // "//" is "/"
            *out_++ = '/';
            char* const segment = out_;
            for (; at < path.size() && path[at] != '/'; ++at) {
                if (path[at] != '%') {
                    *out_++ = path[at];
                    continue;
                }
                if (const auto error = write_escape(path, at, out_); error != TargetError::none)
                    return error;
                at += 2;
            }
            if (const auto error = end_segment(segment, at == path.size()); error != TargetError::none)
                return error;
        }
        return saw_dots_ && saw_bare_parameters_ ? TargetError::ambiguous_dots : TargetError::none;
    }
    std::string_view view() const noexcept { return {begin_, static_cast<std::size_t>(out_ - begin_)}; }

private:
    TargetError end_segment(char* segment, bool is_last) noexcept
    {
        const std::string_view text{segment, static_cast<std::size_t>(out_ - segment)};
        if (hides_dots(text))
            return TargetError::ambiguous_dots;
        // A segment of parameters only vanishes for some servers, and with it what ".." takes back.
        saw_bare_parameters_ = saw_bare_parameters_ || text.starts_with(';') || text.starts_with("%3B");
        if (!is_dots(text))
            return TargetError::none;
        saw_dots_ = true;
        out_ = segment; // behind the segment's '/'
        if (text == "..") {
            if (segment - 1 == begin_)
                return TargetError::above_root;
            do
                --out_;
            while (out_[-1] != '/');
        }
        if (!is_last)
            --out_; // the next segment writes its own '/'
        return TargetError::none;
    }

    char* begin_;
    char* out_;
    bool saw_dots_ = false, saw_bare_parameters_ = false;
};

// Checks the bytes; false if the path holds anything that needs a second look.
TargetError check_path_bytes(std::string_view path, bool& is_normal) noexcept
{
    is_normal = true;
    char previous = '\0';
    for (const char c : path) {
        if (!is_in(c, k_plain_path)) {
            if (c == '\\')
                return TargetError::encoded_separator;
            if (!is_in(c, k_target))
                return TargetError::invalid_character;
            is_normal = is_normal && c == '/' && previous != '/';
        } else if (c == '.' && previous == '/') {
            is_normal = false;
        }
        previous = c;
    }
    return TargetError::none;
}

} // namespace

const char* describe(TargetError error) noexcept
{
    switch (error) {
    case TargetError::none:
        return "";
    case TargetError::not_a_path:
        return "the request target is not a path";
    case TargetError::invalid_character:
        return "the request target holds a character that must be percent-encoded";
    case TargetError::bad_escape:
        return "a percent sign in the path is not followed by two hexadecimal digits";
    case TargetError::encoded_separator:
        return "the path holds a backslash or an encoded slash or backslash";
    case TargetError::encoded_control:
        return "the path holds an encoded control character";
    case TargetError::ambiguous_dots:
        return "the path holds a dot segment in disguise, or an overlong encoding";
    case TargetError::above_root:
        return "the path leads above the root";
    case TargetError::too_long:
        return "the request target is too long";
    }
    return "";
}

bool split_absolute_form(std::string_view raw, std::string_view& authority, std::string_view& rest) noexcept
{
    std::size_t scheme = 0;
    if (equals_without_case(raw.substr(0, 7), "http://"))
        scheme = 7;
    else if (equals_without_case(raw.substr(0, 8), "https://"))
        scheme = 8;
    else
        return false;
    raw.remove_prefix(scheme);
    authority = raw.substr(0, raw.find_first_of("/?"));
    rest = raw.substr(authority.size());
    return !authority.empty();
}

TargetError normalise_target(std::string_view raw, bool is_options, std::span<char> scratch,
                             Target& target) noexcept
{
    target = {};
    if (raw == "*" && is_options) {
        target.path = raw;
        return TargetError::none;
    }
    std::string_view rest = raw;
    if (!raw.starts_with('/') && !split_absolute_form(raw, target.authority, rest))
        return TargetError::not_a_path;
    const std::size_t question = rest.find('?');
    std::string_view path = rest.substr(0, question);
    if (question != rest.npos) {
        target.has_query = true;
        target.query = rest.substr(question + 1);
        for (const char c : target.query) {
            if (!is_in(c, k_target))
                return TargetError::invalid_character;
        }
    }
    if (path.empty())
        path = "/";
    bool is_normal = false;
    if (const auto error = check_path_bytes(path, is_normal); error != TargetError::none)
        return error;
    target.path = path;
    if (is_normal)
        return TargetError::none;
    if (scratch.size() < path.size())
        return TargetError::too_long;
    PathWriter writer{scratch.data()};
    const TargetError error = writer.write(path);
    target.path = writer.view();
    return error;
}

bool is_valid_host(std::string_view host) noexcept
{
    if (host.empty() || host.size() > 261) // a name of 255 and ":65535"
        return false;
    const std::string_view name = host_without_port(host);
    std::string_view port = host.substr(name.size());
    if (!port.empty()) {
        port.remove_prefix(1);
        unsigned value = 0;
        for (const char c : port) {
            if (c < '0' || c > '9' || port.size() > 5)
                return false;
            value = value * 10 + static_cast<unsigned>(c - '0');
        }
        if (value > 65535)
            return false;
    }
    if (name.starts_with('['))
        return name.ends_with(']') && name.find(':') != name.npos && Address::parse(name).has_value();
    char previous = '.';
    for (const char c : name) {
        if (!is_in(c, k_unreserved) || (c == '.' && previous == '.'))
            return false;
        previous = c;
    }
    return !name.empty();
}

std::string_view host_without_port(std::string_view host) noexcept
{
    if (host.starts_with('[')) {
        const std::size_t bracket = host.find(']');
        return bracket != host.npos && (bracket + 1 == host.size() || host[bracket + 1] == ':')
                   ? host.substr(0, bracket + 1)
                   : host;
    }
    return host.substr(0, host.find(':'));
}

} // namespace gw::http1
