// Scalars with a syntax of their own: see the header.
#include "settings/load_fields.hpp"

#include <algorithm>
#include <charconv>

namespace gw {
namespace {

bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string lower_case(std::string_view text)
{
    std::string lower{text};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower;
}

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return port;
}

bool is_dns_name(std::string_view name)
{
    if (name.empty() || name.size() > 253)
        return false;
    while (true) {
        const std::size_t dot = name.find('.');
        const std::string_view label = name.substr(0, dot);
        const bool valid = !label.empty() && label.size() <= 63 && label.front() != '-' &&
                           label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
                               return is_alphanumeric(c) || c == '-' || c == '_';
                           });
        if (!valid)
            return false;
        if (dot == std::string_view::npos)
            return true;
        name.remove_prefix(dot + 1);
    }
}

struct Authority {
    std::string host; // an IPv6 literal without its brackets
    std::optional<std::uint16_t> port;
};

// "name", "name:80", "192.0.2.1:80", "[::1]:80".
std::optional<Authority> parse_authority(std::string_view text)
{
    Authority authority;
    const bool bracketed = text.starts_with('[');
    const std::size_t host_end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
    if (host_end == std::string_view::npos)
        return std::nullopt;
    authority.host = bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
    const std::string_view rest = text.substr(host_end + (bracketed ? 1 : 0));
    if (!rest.empty()) {
        authority.port = rest[0] == ':' ? parse_port(rest.substr(1)) : std::nullopt;
        if (!authority.port)
            return std::nullopt;
    }
    const auto address = Address::parse(authority.host);
    if (bracketed ? !address || address->is_v4() : !address && !is_dns_name(authority.host))
        return std::nullopt;
    return authority;
}

// Takes "http://" or "https://" off `url`; empty if it has neither.
std::string_view take_scheme(std::string_view& url)
{
    for (const std::string_view scheme : {"http://", "https://"})
        if (url.starts_with(scheme)) {
            url.remove_prefix(scheme.size());
            return scheme;
        }
    return {};
}

bool is_token(std::string_view text)
{
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alphanumeric(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

// Fields with a meaning of their own to this gateway or to HTTP: a credential in them would be read twice.
bool is_reserved_field(std::string_view lower)
{
    constexpr std::array<std::string_view, 17> k_reserved{"authorization",
                                                          "cookie",
                                                          "host",
                                                          "connection",
                                                          "content-length",
                                                          "transfer-encoding",
                                                          "te",
                                                          "trailer",
                                                          "upgrade",
                                                          "expect",
                                                          "via",
                                                          "date",
                                                          "keep-alive",
                                                          "x-request-id",
                                                          "forwarded",
                                                          "traceparent",
                                                          "tracestate"};
    return lower.starts_with("x-gateway-") || lower.starts_with("x-forwarded-") ||
           std::find(k_reserved.begin(), k_reserved.end(), lower) != k_reserved.end();
}

} // namespace

std::optional<ListenAddress> read_listen_address(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    const auto authority = parse_authority(text->value);
    if (!authority || !authority->port || !Address::parse(authority->host)) {
        std::string message =
            text->shown + " is not an IP address and a port, such as 0.0.0.0:8080 or [::]:8080";
        if (authority && authority->host == "localhost" && authority->port)
            message += "; did you mean `127.0.0.1:" + std::to_string(*authority->port) + "`?";
        else if (const auto port = parse_port(text->value.substr(text->value.starts_with(':') ? 1 : 0)))
            message += "; did you mean `0.0.0.0:" + std::to_string(*port) + "`?";
        value.error(std::move(message));
        return std::nullopt;
    }
    return ListenAddress{authority->host, *authority->port, value.mark};
}

std::optional<UpstreamSettings::Target> read_target(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    std::string_view rest = text->value;
    const std::string_view scheme = take_scheme(rest);
    if (scheme == "https://") {
        value.error(text->shown + ": TLS to upstreams is not built yet in this version");
        return std::nullopt;
    }
    if (rest.ends_with('/'))
        rest.remove_suffix(1);
    const auto authority = scheme.empty() ? std::nullopt : parse_authority(rest);
    if (!authority || authority->port == std::uint16_t{0}) {
        value.error(text->shown + " is not a target, such as http://127.0.0.1:9001 (no path, query or user)");
        return std::nullopt;
    }
    return UpstreamSettings::Target{authority->host, authority->port.value_or(80), value.mark};
}

std::optional<StoreAddress> read_store_address(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    std::string_view rest = text->value;
    const bool tls = take_scheme(rest) == "https://";
    if (rest.ends_with('/'))
        rest.remove_suffix(1);
    const auto authority = rest.size() == text->value.size() ? std::nullopt : parse_authority(rest);
    if (!authority || authority->port == std::uint16_t{0}) {
        value.error(text->shown + " is not an address, such as https://vault.example.com:8200 (no path, query or user)");
        return std::nullopt;
    }
    return StoreAddress{tls, authority->host, authority->port.value_or(tls ? 443 : 80)};
}

std::optional<HostAndPort> parse_host_and_port(std::string_view text)
{
    auto authority = parse_authority(text);
    if (!authority)
        return std::nullopt;
    HostAndPort out;
    out.host = std::move(authority->host);
    out.port = authority->port;
    return out;
}

std::optional<std::string> read_public_url(const Value& value)
{
    auto text = read_text(value);
    if (!text)
        return std::nullopt;
    std::string_view rest = text->value;
    const std::string_view scheme = take_scheme(rest);
    if (rest.ends_with('/'))
        rest.remove_suffix(1);
    if (scheme.empty() || !parse_authority(rest)) {
        value.error(text->shown + " is not the start of a URL, such as https://api.example.com (no path)");
        return std::nullopt;
    }
    return std::string{scheme} + std::string{rest};
}

std::optional<std::string> read_route_host(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    const std::string_view host = text->value;
    const std::string_view name = host.starts_with("*.") ? host.substr(2) : host;
    const bool is_literal = host.starts_with('[') && host.ends_with(']') && Address::parse(host);
    if (is_literal || is_dns_name(name))
        return lower_case(host);
    if (const auto authority = parse_authority(name); authority && authority->port)
        value.error(text->shown + " has a port; routes match the host alone");
    else if (name.find('*') != std::string_view::npos)
        value.error(text->shown + ": a wildcard is the first label and no other, as in *.example.com");
    else
        value.error(text->shown + " is not a host, such as api.example.com or *.example.com");
    return std::nullopt;
}

std::optional<CredentialSource> read_credential_source(const Value& value)
{
    using Kind = CredentialSource::Kind;
    constexpr std::array<std::pair<std::string_view, Kind>, 3> k_named{
        {{"header:", Kind::header}, {"query:", Kind::query}, {"cookie:", Kind::cookie}}};
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    if (text->value == "bearer")
        return CredentialSource{Kind::bearer, {}};
    for (const auto& [prefix, kind] : k_named) {
        if (!text->value.starts_with(prefix))
            continue;
        const std::string name = text->value.substr(prefix.size());
        if (!is_token(name))
            value.error(text->shown + " needs a name after the colon, as in " + std::string{prefix} +
                        "api_key");
        else if (kind == Kind::header && is_reserved_field(lower_case(name)))
            value.error(text->shown + ": this field has another meaning" +
                        (lower_case(name) == "authorization" ? "; did you mean `bearer`?" : ""));
        else
            return CredentialSource{kind, name};
        return std::nullopt;
    }
    constexpr std::array<std::string_view, 1> k_bare{"bearer"};
    value.error(text->shown + " is not one of bearer, header:NAME, query:NAME or cookie:NAME" +
                did_you_mean(text->value, k_bare));
    return std::nullopt;
}

bool is_identifier(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= 64 && is_alphanumeric(text[0]) &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

} // namespace gw
