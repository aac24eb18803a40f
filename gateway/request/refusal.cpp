#include "request/refusal.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace gw {
namespace {

// What WWW-Authenticate says, if anything.
enum class Challenge : std::uint8_t { none, plain, invalid_token, insufficient_scope };

struct RefusalText {
    Refusal refusal;
    int status;
    const char* status_line;
    std::string_view code, title, detail;
    Outcome outcome;
    Challenge challenge = Challenge::none;
    bool closes = false;
    int retry_after_seconds = 0;
    std::string_view proxy_status = {};
};

constexpr auto k_bad = Outcome::refused_request;

// In the order of the enumeration (checked below).
constexpr std::array k_texts = std::to_array<RefusalText>({
    {Refusal::none, 500, "500 Internal Server Error", "internal_error", "Internal error",
     "The gateway failed.", Outcome::internal_error},
    {Refusal::malformed_request, 400, "400 Bad Request", "malformed_request", "Malformed request",
     "The request does not follow HTTP/1.1 (RFC 9112).", k_bad, Challenge::none, true},
    {Refusal::ambiguous_target, 400, "400 Bad Request", "ambiguous_target", "Ambiguous request target",
     "The path could be read in more than one way. Send it without encoded slashes, backslashes or disguised "
     "dot segments.",
     k_bad},
    {Refusal::ambiguous_framing, 400, "400 Bad Request", "ambiguous_framing", "Ambiguous message framing",
     "The length of the request body is not stated in exactly one valid way.", k_bad, Challenge::none, true},
    {Refusal::bad_host, 400, "400 Bad Request", "bad_host", "Bad Host",
     "The request needs exactly one valid Host field.", k_bad, Challenge::none, true},
    {Refusal::ambiguous_credential, 400, "400 Bad Request", "ambiguous_credential", "Ambiguous credential",
     "Send one API key, in one field.", k_bad},
    {Refusal::head_timeout, 408, "408 Request Timeout", "head_timeout", "Request head too slow",
     "The request head did not arrive in time.", k_bad, Challenge::none, true},
    {Refusal::body_timeout, 408, "408 Request Timeout", "body_timeout", "Request body too slow",
     "The request body did not arrive in time.", k_bad, Challenge::none, true},
    {Refusal::body_too_large, 413, "413 Content Too Large", "body_too_large", "Request body too large",
     "The request body is larger than this route accepts.", k_bad, Challenge::none, true},
    {Refusal::target_too_long, 414, "414 URI Too Long", "target_too_long", "Request target too long",
     "The request target is longer than this gateway accepts.", k_bad, Challenge::none, true},
    {Refusal::unknown_expectation, 417, "417 Expectation Failed", "unknown_expectation",
     "Unknown expectation", "The only expectation that can be met is 100-continue.", k_bad, Challenge::none,
     true},
    {Refusal::head_too_large, 431, "431 Request Header Fields Too Large", "head_too_large",
     "Request head too large", "The request head is larger, or has more fields, than this gateway accepts.",
     k_bad, Challenge::none, true},
    {Refusal::unknown_method, 501, "501 Not Implemented", "unknown_method", "Unknown method",
     "This method is not forwarded.", k_bad, Challenge::none, true},
    {Refusal::unknown_coding, 501, "501 Not Implemented", "unknown_coding", "Unknown transfer coding",
     "The only transfer coding that is understood is chunked.", k_bad, Challenge::none, true},
    {Refusal::unsupported_version, 505, "505 HTTP Version Not Supported", "unsupported_version",
     "HTTP version not supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.", k_bad, Challenge::none,
     true},
    {Refusal::no_route, 404, "404 Not Found", "no_route", "No such route",
     "No route matches this host and path.", Outcome::no_route},
    {Refusal::method_not_allowed, 405, "405 Method Not Allowed", "method_not_allowed", "Method not allowed",
     "This path does not serve this method.", Outcome::method_not_allowed},
    {Refusal::no_credential, 401, "401 Unauthorized", "no_credential", "API key required",
     "Send an API key as a bearer token or in X-API-Key.", Outcome::unauthenticated, Challenge::plain},
    {Refusal::invalid_key, 401, "401 Unauthorized", "invalid_key", "Invalid API key",
     "The API key is not valid.", Outcome::unauthenticated, Challenge::invalid_token},
    {Refusal::key_expired, 401, "401 Unauthorized", "key_expired", "API key expired",
     "The API key has expired.", Outcome::unauthenticated, Challenge::invalid_token},
    {Refusal::key_disabled, 401, "401 Unauthorized", "key_disabled", "API key disabled",
     "The API key has been disabled.", Outcome::unauthenticated, Challenge::invalid_token},
    {Refusal::too_many_failures, 429, "429 Too Many Requests", "too_many_failures",
     "Too many failed attempts", "Too many failed attempts came from this address. Wait before trying again.",
     Outcome::too_many_failures, Challenge::none, false, 60},
    {Refusal::insufficient_scope, 403, "403 Forbidden", "insufficient_scope", "Scope missing",
     "The API key lacks a scope that this route requires.", Outcome::forbidden,
     Challenge::insufficient_scope},
    {Refusal::wrong_environment, 403, "403 Forbidden", "wrong_environment", "Wrong environment",
     "Keys of this environment are not accepted on this route.", Outcome::forbidden,
     Challenge::insufficient_scope},
    {Refusal::tenant_not_allowed, 403, "403 Forbidden", "tenant_not_allowed", "Tenant not allowed",
     "This route is not open to the tenant of the API key.", Outcome::forbidden,
     Challenge::insufficient_scope},
    {Refusal::address_not_allowed, 403, "403 Forbidden", "address_not_allowed", "Address not allowed",
     "The API key may not be used from this address.", Outcome::forbidden},
    {Refusal::over_limit, 429, "429 Too Many Requests", "over_limit", "Rate limit exceeded",
     "A rate limit is used up. Retry-After says when to try again.", Outcome::limited, Challenge::none, false,
     1},
    {Refusal::limiter_unavailable, 503, "503 Service Unavailable", "limiter_unavailable",
     "Limiter unavailable", "The rate limit could not be checked. Try again shortly.",
     Outcome::store_unavailable, Challenge::none, false, 1},
    {Refusal::hashing_overloaded, 503, "503 Service Unavailable", "hashing_overloaded",
     "Verification overloaded", "Too many keys are being verified for the first time. Try again shortly.",
     Outcome::overloaded, Challenge::none, false, 1},
    {Refusal::store_unavailable, 503, "503 Service Unavailable", "store_unavailable", "Key store unavailable",
     "The API key could not be verified. Try again shortly.", Outcome::store_unavailable, Challenge::none,
     false, 5},
    {Refusal::overloaded, 503, "503 Service Unavailable", "overloaded", "Gateway overloaded",
     "The gateway cannot take more requests now. Try again shortly.", Outcome::overloaded, Challenge::none,
     false, 1},
    {Refusal::internal_error, 500, "500 Internal Server Error", "internal_error", "Internal error",
     "The gateway failed. The request id helps its operators to find out why.", Outcome::internal_error},
    {Refusal::upstream_unreachable, 502, "502 Bad Gateway", "upstream_unreachable", "Upstream unreachable",
     "The service behind the gateway cannot be reached.", Outcome::upstream_failed, Challenge::none, false, 0,
     "portcullis; error=connection_refused"},
    {Refusal::upstream_broken, 502, "502 Bad Gateway", "upstream_broken", "Upstream broken",
     "The service behind the gateway gave no valid response.", Outcome::upstream_failed, Challenge::none,
     false, 0, "portcullis; error=http_protocol_error"},
    {Refusal::upstream_timeout, 504, "504 Gateway Timeout", "upstream_timeout", "Upstream too slow",
     "The service behind the gateway did not answer in time.", Outcome::upstream_timeout, Challenge::none,
     false, 0, "portcullis; error=http_response_timeout"},
});

constexpr bool is_in_order()
{
    for (std::size_t i = 0; i < k_texts.size(); ++i) {
        if (static_cast<std::size_t>(k_texts[i].refusal) != i)
            return false;
    }
    return k_texts.size() == static_cast<std::size_t>(Refusal::upstream_timeout) + 1;
}
static_assert(is_in_order(), "k_texts follows enum Refusal");

constexpr const RefusalText& text_of(Refusal refusal) noexcept
{
    return k_texts[static_cast<std::size_t>(refusal)];
}

constexpr std::size_t k_max_instance_bytes = 512;

// As a JSON string, without quotes. Bytes above 0x7E become \u00XX: what came from the wire need not be
// UTF-8.
void append_json(http1::HeadBuffer& out, std::string_view text)
{
    constexpr char hex[] = "0123456789abcdef";
    std::size_t plain = 0; // where the run of bytes that need no escape begins
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\')
            continue;
        out.append(text.substr(plain, i - plain));
        plain = i + 1;
        const char escape[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
        out.append(std::string_view{escape, sizeof escape});
    }
    out.append(text.substr(plain));
}

void append_member(http1::HeadBuffer& out, std::string_view name, std::string_view value)
{
    out.append(",\"");
    out.append(name);
    out.append("\":\"");
    append_json(out, value);
    out.append('"');
}

template <class Strings>
void append_list_member(http1::HeadBuffer& out, std::string_view name, const Strings& values)
{
    if (values.empty())
        return;
    out.append(",\"");
    out.append(name);
    out.append("\":[");
    std::string_view separator = "\"";
    for (const std::string_view value : values) {
        out.append(separator);
        append_json(out, value);
        out.append('"');
        separator = ",\"";
    }
    out.append(']');
}

// RFC 9110 section 5.6.4; what cannot stand in a quoted string is left out.
void append_quoted(http1::HeadBuffer& out, std::string_view text)
{
    out.append('"');
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out.append('\\');
        if (c >= 0x20 && c < 0x7F)
            out.append(c);
    }
    out.append('"');
}

// RFC 6750 section 3.
void append_challenge(http1::HeadBuffer& out, const RefusalText& text, const RefusalContext& context)
{
    if (text.challenge == Challenge::none)
        return;
    out.append("WWW-Authenticate: Bearer realm=");
    append_quoted(out, context.realm.empty() ? "portcullis" : context.realm);
    if (text.challenge == Challenge::invalid_token) {
        out.append(", error=\"invalid_token\", error_description=");
        append_quoted(out, text.detail);
    } else if (text.challenge == Challenge::insufficient_scope) {
        out.append(", error=\"insufficient_scope\"");
        std::string_view separator = ", scope=\"";
        for (const std::string& scope : context.required_scopes) {
            out.append(separator);
            out.append(scope);
            separator = " ";
        }
        if (!context.required_scopes.empty())
            out.append('"');
    }
    out.append("\r\n");
}

void append_connection(http1::HeadBuffer& out, const RefusalText& text, const RefusalContext& context)
{
    if (context.close || text.closes)
        out.append("Connection: close\r\n");
    else if (context.minor_version == 0)
        out.append("Connection: keep-alive\r\n");
}

// All but Content-Length, which is known after the body.
void append_fields(http1::HeadBuffer& out, const RefusalText& text, const RefusalContext& context)
{
    out.append("HTTP/1.1 ");
    out.append(text.status_line);
    out.append("\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n");
    if (!context.date.empty())
        out.append_field("Date", context.date);
    append_challenge(out, text, context);
    if (text.refusal == Refusal::method_not_allowed)
        out.append_field("Allow", context.allow);
    const auto retry_after =
        context.retry_after_seconds > 0 ? context.retry_after_seconds : text.retry_after_seconds;
    if (retry_after > 0) {
        out.append("Retry-After: ");
        out.append_number(static_cast<std::uint64_t>(retry_after));
        out.append("\r\n");
    }
    const bool is_upstream = !text.proxy_status.empty();
    if (is_upstream)
        out.append_field("Proxy-Status",
                         context.proxy_status.empty() ? text.proxy_status : context.proxy_status);
    out.append(context.extra_fields);
    if (!context.request_id.empty())
        out.append_field("X-Request-Id", context.request_id);
    append_connection(out, text, context);
}

void append_document(http1::HeadBuffer& out, const RefusalText& text, const RefusalContext& context)
{
    if (text.refusal == Refusal::over_limit) {
        out.append("{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\"");
    } else {
        out.append("{\"type\":\"urn:portcullis:problem:");
        out.append(text.code);
        out.append('"');
    }
    append_member(out, "title", text.title);
    out.append(",\"status\":");
    out.append_number(static_cast<std::uint64_t>(text.status));
    // Unknown, revoked and malformed keys must look alike, whatever a caller adds.
    const bool own_detail = context.detail.empty() || text.refusal == Refusal::invalid_key;
    append_member(out, "detail", own_detail ? text.detail : context.detail);
    if (!context.instance.empty()) { // never the query: it may hold what is nobody's business
        const std::string_view path = context.instance.substr(0, context.instance.find('?'));
        append_member(out, "instance", path.substr(0, k_max_instance_bytes));
    }
    append_member(out, "code", text.code);
    append_member(out, "request_id", context.request_id);
    if (text.challenge == Challenge::insufficient_scope)
        append_list_member(out, "required_scopes", context.required_scopes);
    if (text.refusal == Refusal::over_limit)
        append_list_member(out, "violated-policies", context.violated_policies);
    out.append("}\n");
}

} // namespace

int status_of(Refusal refusal) noexcept
{
    return text_of(refusal).status;
}

std::string_view code_of(Refusal refusal) noexcept
{
    return text_of(refusal).code;
}

Outcome outcome_of(Refusal refusal) noexcept
{
    return text_of(refusal).outcome;
}

bool closes_connection(Refusal refusal) noexcept
{
    return text_of(refusal).closes;
}

Refusal refusal_for(http1::HeadError error) noexcept
{
    using http1::HeadError;
    switch (error) {
    case HeadError::none:
        return Refusal::none;
    case HeadError::malformed:
        return Refusal::malformed_request;
    case HeadError::ambiguous_framing:
        return Refusal::ambiguous_framing;
    case HeadError::bad_host:
        return Refusal::bad_host;
    case HeadError::head_too_large:
    case HeadError::too_many_fields:
        return Refusal::head_too_large;
    case HeadError::target_too_long:
        return Refusal::target_too_long;
    case HeadError::unknown_method:
        return Refusal::unknown_method;
    case HeadError::unknown_transfer_coding:
        return Refusal::unknown_coding;
    case HeadError::unsupported_version:
        return Refusal::unsupported_version;
    case HeadError::unknown_expectation:
        return Refusal::unknown_expectation;
    }
    return Refusal::malformed_request;
}

void write_refusal(http1::HeadBuffer& out, Refusal refusal, const RefusalContext& context)
{
    const RefusalText& text = text_of(refusal);
    append_fields(out, text, context);
    out.append("Content-Length: \r\n\r\n");
    const std::size_t body_at = out.size(), length_at = body_at - 4;
    append_document(out, text, context);
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, out.size() - body_at).ptr;
    const auto digit_count = static_cast<std::size_t>(end - digits);
    if (context.head_request)
        out.truncate(body_at);
    out.insert(length_at, {digits, digit_count});
}

} // namespace gw
