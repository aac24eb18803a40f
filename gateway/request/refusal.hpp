// The closed list of "no", and the only place that turns one into a status, a problem document (RFC 9457)
// and its header fields.
#pragma once

#include "http1/head.hpp"
#include "http1/head_buffer.hpp"
#include "observe/metrics.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gw {

enum class Refusal : std::uint8_t {
    none = 0,
    // The request itself. The connection is closed where framing is in doubt.
    malformed_request,      // 400
    ambiguous_target,       // 400
    ambiguous_framing,      // 400
    bad_host,               // 400
    ambiguous_credential,   // 400: two credentials, or one field twice
    head_timeout,           // 408
    body_timeout,           // 408
    body_too_large,         // 413
    target_too_long,        // 414
    unknown_expectation,    // 417
    head_too_large,         // 431
    unknown_method,         // 501
    unknown_coding,         // 501
    unsupported_version,    // 505
    // Routing.
    no_route,               // 404
    method_not_allowed,     // 405, Allow
    // Who.
    no_credential,          // 401
    invalid_key,            // 401: malformed, unknown and revoked keys: identical bodies
    key_expired,            // 401
    key_disabled,           // 401
    too_many_failures,      // 429
    // May they.
    insufficient_scope,     // 403
    wrong_environment,      // 403
    tenant_not_allowed,     // 403
    address_not_allowed,    // 403
    // How much.
    over_limit,             // 429
    limiter_unavailable,    // 503
    // Us.
    hashing_overloaded,     // 503
    store_unavailable,      // 503
    overloaded,             // 503: connection cap, drain deadline
    internal_error,         // 500
    // The upstream.
    upstream_unreachable,   // 502
    upstream_broken,        // 502: bad response, or gone before one
    upstream_timeout,       // 504
};

int status_of(Refusal refusal) noexcept;
std::string_view code_of(Refusal refusal) noexcept; // stable: "key_expired"
Outcome outcome_of(Refusal refusal) noexcept;
// The connection cannot be trusted or used after it: write_refusal says Connection: close, the caller closes.
bool closes_connection(Refusal refusal) noexcept;
// The refusal for a head that the parser refused; its detail goes into the document.
Refusal refusal_for(http1::HeadError error) noexcept;

// What a particular refusal can add to its document.
struct RefusalContext {
    std::string_view detail = {};        // for the client; empty: the refusal's own sentence; ignored for invalid_key
    std::string_view instance = {};      // the request's path, at most 512 bytes of it are shown; escaped
    std::string_view request_id = {};
    std::string_view realm = {};         // route id, for WWW-Authenticate
    std::span<const std::string> required_scopes = {};
    std::string_view allow = {};         // for 405: "GET, HEAD"
    std::span<const std::string_view> violated_policies = {};
    std::int64_t retry_after_seconds = 0; // 0: the refusal's default, where it has one
    std::string_view extra_fields = {};  // whole field lines, for example the RateLimit lists
    std::string_view proxy_status = {};  // value of Proxy-Status for 502 and 504
    bool close = false;             // Connection: close; some refusals close in any case
    bool head_request = false;      // the body is left out, Content-Length kept
    int minor_version = 1;
    std::string_view date = {};          // value of Date; empty: none
};

// Appends the whole response: status line, fields, problem document.
void write_refusal(http1::HeadBuffer& out, Refusal refusal, const RefusalContext& context);

} // namespace gw
