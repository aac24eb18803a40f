// What a parsed HTTP/1 head is: views into the connection's buffer, plus what framing needs. Nothing here
// owns bytes; a head is valid while the buffer that it was parsed from is neither moved nor overwritten.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gw::http1 {

// The fields that some rule of ours asks about; everything else is `other`. Names compare without case.
enum class FieldName : std::uint8_t {
    other,
    host, connection, content_length, transfer_encoding, te, trailer, upgrade, keep_alive, proxy_connection,
    proxy_authenticate, proxy_authorization, expect, authorization, x_api_key, cookie, content_type, date, server,
    via, forwarded, x_forwarded_for, x_forwarded_proto, x_forwarded_host, x_forwarded_port, x_real_ip, x_request_id,
    traceparent, tracestate, gateway_identity, // any X-Gateway-*, also spelled with '_'
    ratelimit, ratelimit_policy, x_ratelimit_limit, x_ratelimit_remaining, x_ratelimit_reset,
    http2_settings, user_agent, cache_control, retry_after,
};

struct Field {
    std::string_view name;
    std::string_view value; // without the optional white space around it
    FieldName id = FieldName::other;
    bool nominated = false; // named by Connection: hop-by-hop, never forwarded
};

enum class Method : std::uint8_t { get, head, post, put, delete_, patch, options, trace, connect, other };

enum class BodyKind : std::uint8_t { none, length, chunked, until_close };

struct RequestHead {
    Method method = Method::other;
    std::string_view method_text;
    std::string_view target;         // as sent
    std::string_view host;           // of the Host field, or of an absolute-form target; without surrounding space
    int minor_version = 1;           // HTTP/1.0 or 1.1
    std::span<Field> fields;         // in order, as sent
    BodyKind body = BodyKind::none;  // none, length or chunked
    std::uint64_t content_length = 0;
    bool keep_alive = true;          // the client's wish, from its version and Connection
    bool expect_continue = false;    // Expect: 100-continue
    bool has_trailer_te = false;     // TE: trailers
    std::string_view upgrade;        // value of Upgrade when Connection names it
    std::size_t head_bytes = 0;      // how much of the buffer the head took
};

struct ResponseHead {
    int status = 0;
    std::string_view reason;
    int minor_version = 1;
    std::span<Field> fields;
    BodyKind body = BodyKind::none; // considers the request's method and the status
    std::uint64_t content_length = 0;
    bool has_content_length = false; // also when there is no body, as for HEAD and 304
    bool keep_alive = true;
    std::size_t head_bytes = 0;
};

// Why a head was refused. Each maps to one status (DESIGN.md section 4); the connection is closed after it.
enum class HeadError : std::uint8_t {
    none,
    malformed,               // 400: syntax (RFC 9112): the detail says what
    ambiguous_framing,       // 400: Content-Length and Transfer-Encoding, lists, duplicates ...
    bad_host,                // 400: missing, duplicate or invalid
    head_too_large,          // 431
    too_many_fields,         // 431
    target_too_long,         // 414
    unknown_method,          // 501: syntactically valid, but none that we forward
    unknown_transfer_coding, // 501
    unsupported_version,     // 505
    unknown_expectation,     // 417
};

// The status for it, and a sentence that may be shown to the client.
int status_of(HeadError error) noexcept;

} // namespace gw::http1
