#include "http1/field_name.hpp"

#include <cstring>

namespace gw::http1 {
namespace {

constexpr bool is_alnum(unsigned c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr std::array<std::uint8_t, 256> make_byte_classes()
{
    std::array<std::uint8_t, 256> classes{};
    const std::string_view token_marks = "!#$%&'*+-.^_`|~", unreserved_marks = "-._~";
    for (unsigned c = 0; c < 256; ++c) {
        unsigned bits = 0;
        const char ch = static_cast<char>(c);
        if (is_alnum(c) || (c != 0 && token_marks.find(ch) != token_marks.npos))
            bits |= k_token;
        if (c >= 0x21 && c <= 0x7E && c != '#')
            bits |= k_target;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'))
            bits |= k_hex;
        if (is_alnum(c) || (c != 0 && unreserved_marks.find(ch) != unreserved_marks.npos))
            bits |= k_unreserved;
        if ((bits & k_target) != 0 && std::string_view{"/%\\;?"}.find(ch) == std::string_view::npos)
            bits |= k_plain_path;
        classes[c] = static_cast<std::uint8_t>(bits);
    }
    return classes;
}

// Compares a token with a lower-case name of N bytes, eight at a time. Setting bit 5 folds letters and leaves
// digits and '-' alone; what it could confuse with them ('\r' with '-', ...) cannot stand in a token.
template <std::size_t N>
bool names(const char* token, const char (&lower)[N]) noexcept
{
    constexpr std::size_t size = N - 1;
    if constexpr (size >= 8) {
        std::uint64_t difference = 0;
        for (std::size_t i = 0; i < size; i += 8) {
            const std::size_t at = i + 8 <= size ? i : size - 8;
            std::uint64_t a, b;
            std::memcpy(&a, token + at, 8);
            std::memcpy(&b, lower + at, 8);
            difference |= (a | 0x2020202020202020u) ^ b;
        }
        return difference == 0;
    } else {
        for (std::size_t i = 0; i < size; ++i) {
            if ((token[i] | 0x20) != lower[i])
                return false;
        }
        return true;
    }
}

bool is_gateway_identity(std::string_view name) noexcept
{
    // Any separator: servers that pass fields as variables fold '-', '_' and '.' into one.
    return name.size() >= 10 && !is_alnum(static_cast<unsigned char>(name[1])) &&
           !is_alnum(static_cast<unsigned char>(name[9])) && names(name.data() + 2, "gateway");
}

FieldName classify_dashed(std::string_view name) noexcept
{
    using enum FieldName;
    const char* p = name.data();
    switch (name.size()) {
    case 2:
        return names(p, "te") ? te : other;
    case 3:
        return names(p, "via") ? via : other;
    case 4:
        return names(p, "host") ? host : names(p, "date") ? date : other;
    case 6:
        return names(p, "cookie")   ? cookie
               : names(p, "expect") ? expect
               : names(p, "server") ? server
                                    : other;
    case 7:
        return names(p, "trailer") ? trailer : names(p, "upgrade") ? upgrade : other;
    case 9:
        return names(p, "x-api-key")   ? x_api_key
               : names(p, "forwarded") ? forwarded
               : names(p, "x-real-ip") ? x_real_ip
               : names(p, "ratelimit") ? ratelimit
                                       : other;
    case 10:
        return names(p, "connection")   ? connection
               : names(p, "user-agent") ? user_agent
               : names(p, "keep-alive") ? keep_alive
               : names(p, "tracestate") ? tracestate
                                        : other;
    case 11:
        return names(p, "traceparent") ? traceparent : names(p, "retry-after") ? retry_after : other;
    case 12:
        return names(p, "content-type") ? content_type : names(p, "x-request-id") ? x_request_id : other;
    case 13:
        return names(p, "authorization") ? authorization : names(p, "cache-control") ? cache_control : other;
    case 14:
        return names(p, "content-length")   ? content_length
               : names(p, "http2-settings") ? http2_settings
                                            : other;
    case 15:
        return names(p, "x-forwarded-for") ? x_forwarded_for : other;
    case 16:
        return names(p, "proxy-connection")   ? proxy_connection
               : names(p, "x-forwarded-host") ? x_forwarded_host
               : names(p, "x-forwarded-port") ? x_forwarded_port
               : names(p, "ratelimit-policy") ? ratelimit_policy
                                              : other;
    case 17:
        return names(p, "transfer-encoding")   ? transfer_encoding
               : names(p, "x-forwarded-proto") ? x_forwarded_proto
               : names(p, "x-ratelimit-limit") ? x_ratelimit_limit
               : names(p, "x-ratelimit-reset") ? x_ratelimit_reset
                                               : other;
    case 18:
        return names(p, "proxy-authenticate") ? proxy_authenticate : other;
    case 19:
        return names(p, "proxy-authorization") ? proxy_authorization : other;
    case 21:
        return names(p, "x-ratelimit-remaining") ? x_ratelimit_remaining : other;
    default:
        return other;
    }
}

// `X_Forwarded_For` and the like: an upstream that folds '_' into '-' would believe them.
bool is_disguised_forwarding_field(std::string_view name) noexcept
{
    constexpr std::size_t longest = 17;
    if (name.size() < 9 || name.size() > longest || std::memchr(name.data(), '_', name.size()) == nullptr)
        return false;
    char dashed[longest];
    for (std::size_t i = 0; i < name.size(); ++i)
        dashed[i] = name[i] == '_' ? '-' : name[i];
    switch (classify_dashed({dashed, name.size()})) {
    case FieldName::x_forwarded_for:
    case FieldName::x_forwarded_proto:
    case FieldName::x_forwarded_host:
    case FieldName::x_forwarded_port:
    case FieldName::x_real_ip:
    case FieldName::x_request_id:
        return true;
    default:
        return false;
    }
}

} // namespace

constinit const std::array<std::uint8_t, 256> k_byte_classes = make_byte_classes();

int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool equals_without_case(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != to_lower(b[i]))
            return false;
    }
    return true;
}

std::string_view trim(std::string_view text) noexcept
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

bool next_list_member(std::string_view& list, std::string_view& member) noexcept
{
    if (list.data() == nullptr)
        return false;
    const auto comma = list.find(',');
    member = trim(list.substr(0, comma));
    list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    return true;
}

FieldName classify_field(std::string_view name) noexcept
{
    const FieldName id = classify_dashed(name);
    if (id != FieldName::other || name.empty() || (name[0] | 0x20) != 'x')
        return id;
    return is_gateway_identity(name) || is_disguised_forwarding_field(name) ? FieldName::gateway_identity
                                                                            : id;
}

bool may_be_nominated(FieldName id) noexcept
{
    switch (id) {
    case FieldName::other:
    case FieldName::connection:
    case FieldName::te:
    case FieldName::trailer:
    case FieldName::upgrade:
    case FieldName::keep_alive:
    case FieldName::proxy_connection:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authorization:
    case FieldName::http2_settings:
    case FieldName::user_agent:
    case FieldName::server:
        return true;
    default:
        return false;
    }
}

bool may_be_trailer(std::string_view name) noexcept
{
    if (classify_field(name) != FieldName::other)
        return false;
    static constexpr std::string_view refused[] = {"set-cookie",
                                                   "content-encoding",
                                                   "content-range",
                                                   "range",
                                                   "max-forwards",
                                                   "if-match",
                                                   "if-none-match",
                                                   "if-range",
                                                   "if-modified-since",
                                                   "if-unmodified-since",
                                                   "age",
                                                   "expires",
                                                   "location",
                                                   "vary",
                                                   "pragma",
                                                   "www-authenticate",
                                                   "authentication-info",
                                                   "proxy-authentication-info",
                                                   "warning"};
    for (const std::string_view each : refused) {
        if (equals_without_case(each, name))
            return false;
    }
    return true;
}

Method classify_method(std::string_view text) noexcept
{
    switch (text.size()) {
    case 3:
        return text == "GET" ? Method::get : text == "PUT" ? Method::put : Method::other;
    case 4:
        return text == "POST" ? Method::post : text == "HEAD" ? Method::head : Method::other;
    case 5:
        return text == "PATCH" ? Method::patch : text == "TRACE" ? Method::trace : Method::other;
    case 6:
        return text == "DELETE" ? Method::delete_ : Method::other;
    case 7:
        return text == "OPTIONS" ? Method::options : text == "CONNECT" ? Method::connect : Method::other;
    default:
        return Method::other;
    }
}

} // namespace gw::http1
