// Which fields pass from client to upstream and back, and which are ours. Heads are written anew from what
// was parsed: first everything that may not pass is left out, then our own fields are added, so that nothing
// a peer sends can remove or imitate them. Pure functions; they allocate only when the buffer has to grow.
#pragma once

#include "http1/head.hpp"
#include "http1/head_buffer.hpp"
#include "http1/target.hpp"

#include <cstdint>
#include <string_view>

namespace gw {

// What the head sent upstream is made of. Everything outlives the call; texts hold no CR or LF.
struct UpstreamHeadContext {
    const http1::RequestHead& head;
    const http1::Target& target;
    std::string_view client_address = {}; // who the request is from, as we believe it
    std::string_view peer_address = {};   // who is connected to us, if not client_address: a trusted proxy
    bool peer_is_trusted = false;         // its X-Forwarded-*, X-Real-IP and Forwarded are kept and continued
    std::string_view scheme = "http";     // of the client's connection
    std::string_view request_id = {};
    std::string_view traceparent = {};              // to send; empty for none
    std::string_view identity_fields = {};          // whole X-Gateway-* lines, or empty
    const http1::Field* strip_credential = nullptr; // the credential's field, to be left out
    std::string_view stripped_value =
        {}; // what is left of its value (Cookie without one pair); empty: nothing
    const http1::Field* kept_credential =
        nullptr;                         // the credential's field, to pass even if Connection names it
    std::string_view upstream_host = {}; // empty: the client's Host passes through
    http1::BodyKind body = http1::BodyKind::none; // how the body will be sent; length: head.content_length
    bool ask_continue = false;                    // send Expect: 100-continue
};

// Appends the request head: normalised path and query as sent, HTTP/1.1, and our own framing.
void write_upstream_head(http1::HeadBuffer& out, const UpstreamHeadContext& context);

// The three X-RateLimit-* fields.
struct LegacyRateLimit {
    std::uint64_t limit = 0, remaining = 0, reset_epoch_seconds = 0;
};

// What the head sent to the client is made of.
struct ClientHeadContext {
    const http1::ResponseHead& head;
    int client_minor_version = 1;
    bool close = false; // say Connection: close
    std::string_view request_id = {};
    std::string_view rate_limit_items = {};             // ready-made members of RateLimit, or empty
    std::string_view rate_limit_policy_items = {};      // and of RateLimit-Policy
    const LegacyRateLimit* legacy_rate_limit = nullptr; // null: the upstream's own trio passes
    std::string_view date = {}; // sent if the upstream sent none; empty: no Date is added
};

// Appends the response head and says how the body must be framed to this client: chunked bodies and those
// that end with the connection become chunked for HTTP/1.1 and until_close for HTTP/1.0; until_close always
// says Connection: close, and the caller must close. 1xx heads get no fields of ours, apart from Via.
http1::BodyKind write_client_head(http1::HeadBuffer& out, const ClientHeadContext& context);

// The framing that write_client_head chooses.
http1::BodyKind client_framing(http1::BodyKind upstream_body, int client_minor_version) noexcept;

// W3C Trace Context: version, non-zero trace and parent ids, flags; lower-case hexadecimal.
bool is_valid_traceparent(std::string_view value) noexcept;

// What a trusted proxy may set as X-Request-Id: 1 to 128 visible ASCII characters without quotes or
// backslash.
bool is_valid_request_id(std::string_view value) noexcept;

} // namespace gw
