#include "request/header_rules.hpp"

#include "http1/field_name.hpp"

#include <algorithm>

namespace gw {
namespace {

using http1::BodyKind;
using http1::Field;
using http1::FieldName;
using http1::HeadBuffer;

// What the one pass over the client's fields found.
struct RequestPass {
    bool forwarded_for = false, forwarded_proto = false, forwarded_host = false;
};

bool same_trace(const http1::RequestHead& head, std::string_view traceparent) noexcept
{
    constexpr std::size_t id_at = 3, id_size = 32;
    if (traceparent.size() < id_at + id_size)
        return false;
    return std::any_of(head.fields.begin(), head.fields.end(), [&](const Field& field) {
        return field.id == FieldName::traceparent && field.value.size() >= id_at + id_size &&
               field.value.substr(id_at, id_size) == traceparent.substr(id_at, id_size);
    });
}

// Whether a client's field goes upstream as it is.
bool passes_upstream(const Field& field, const UpstreamHeadContext& c, RequestPass& pass) noexcept
{
    if (field.id == FieldName::other) // the greater part
        return (!field.nominated || &field == c.kept_credential) && &field != c.strip_credential;
    if (&field == c.strip_credential)
        return false;
    switch (field.id) {
    case FieldName::host:
    case FieldName::connection:
    case FieldName::content_length:
    case FieldName::transfer_encoding:
    case FieldName::te:
    case FieldName::upgrade:
    case FieldName::keep_alive:
    case FieldName::proxy_connection:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authorization:
    case FieldName::expect:
    case FieldName::http2_settings:
    case FieldName::gateway_identity:
    case FieldName::x_request_id:
    case FieldName::traceparent:
        return false;
    case FieldName::tracestate:
        return same_trace(c.head, c.traceparent);
    case FieldName::trailer:
        return c.body == BodyKind::chunked && !field.nominated;
    case FieldName::x_forwarded_for:
        pass.forwarded_for = true; // joined with the peer's address below
        return false;
    case FieldName::x_forwarded_proto: {
        const bool first = !pass.forwarded_proto;
        pass.forwarded_proto = c.peer_is_trusted;
        return c.peer_is_trusted && first;
    }
    case FieldName::x_forwarded_host: {
        const bool first = !pass.forwarded_host;
        pass.forwarded_host = c.peer_is_trusted;
        return c.peer_is_trusted && first;
    }
    case FieldName::x_forwarded_port:
    case FieldName::x_real_ip:
    case FieldName::forwarded:
        return c.peer_is_trusted;
    default:
        return !field.nominated || &field == c.kept_credential;
    }
}

void write_request_line(HeadBuffer& out, const UpstreamHeadContext& c)
{
    out.append(c.head.method_text);
    out.append(' ');
    out.append(c.target.path);
    if (c.target.has_query) {
        out.append('?');
        out.append(c.target.query);
    }
    out.append(" HTTP/1.1\r\n");
    out.append_field("Host", c.upstream_host.empty() ? c.head.host : c.upstream_host);
}

void write_forwarded_fields(HeadBuffer& out, const UpstreamHeadContext& c, const RequestPass& pass)
{
    out.append("X-Forwarded-For: ");
    if (pass.forwarded_for && c.peer_is_trusted) {
        for (const Field& field : c.head.fields) {
            if (field.id != FieldName::x_forwarded_for || field.value.empty())
                continue;
            out.append(field.value);
            out.append(", ");
        }
    }
    out.append(c.peer_is_trusted && !c.peer_address.empty() ? c.peer_address : c.client_address);
    out.append("\r\n");
    if (!pass.forwarded_proto)
        out.append_field("X-Forwarded-Proto", c.scheme);
    if (!pass.forwarded_host)
        out.append_field("X-Forwarded-Host", c.head.host);
}

// Methods whose meaning expects a body: servers may answer 411 to one without a length (RFC 9110
// section 8.6).
bool expects_body(http1::Method method) noexcept
{
    return method == http1::Method::post || method == http1::Method::put || method == http1::Method::patch;
}

void write_length(HeadBuffer& out, std::uint64_t length)
{
    out.append("Content-Length: ");
    out.append_number(length);
    out.append("\r\n");
}

void write_via(HeadBuffer& out, int received_minor_version)
{
    out.append(received_minor_version == 0 ? "Via: 1.0 portcullis\r\n" : "Via: 1.1 portcullis\r\n");
}

void write_request_framing(HeadBuffer& out, const UpstreamHeadContext& c)
{
    if (c.body == BodyKind::length)
        write_length(out, c.head.content_length);
    else if (c.body == BodyKind::chunked)
        out.append("Transfer-Encoding: chunked\r\n");
    else if (expects_body(c.head.method))
        write_length(out, 0);
}

struct ResponsePass {
    bool date = false, rate_limit = false, rate_limit_policy = false;
};

bool passes_to_client(const Field& field, const ClientHeadContext& c, BodyKind framing,
                      ResponsePass& pass) noexcept
{
    if (field.nominated)
        return false;
    switch (field.id) {
    case FieldName::other:
        return true;
    case FieldName::connection:
    case FieldName::content_length:
    case FieldName::transfer_encoding:
    case FieldName::te:
    case FieldName::upgrade:
    case FieldName::keep_alive:
    case FieldName::proxy_connection:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authorization:
    case FieldName::http2_settings:
    case FieldName::x_request_id:
        return false;
    case FieldName::trailer:
        return framing == BodyKind::chunked;
    case FieldName::date: {
        const bool first = !pass.date;
        pass.date = true;
        return first;
    }
    case FieldName::ratelimit:
        pass.rate_limit = true; // behind our own members, below
        return c.rate_limit_items.empty();
    case FieldName::ratelimit_policy:
        pass.rate_limit_policy = true;
        return c.rate_limit_policy_items.empty();
    case FieldName::x_ratelimit_limit:
    case FieldName::x_ratelimit_remaining:
    case FieldName::x_ratelimit_reset:
        return c.legacy_rate_limit == nullptr;
    default:
        return true;
    }
}

void write_status_line(HeadBuffer& out, const http1::ResponseHead& head)
{
    out.append("HTTP/1.1 ");
    out.append_number(static_cast<std::uint64_t>(head.status));
    out.append(' ');
    out.append(head.reason);
    out.append("\r\n");
}

// Our members, then the upstream's.
void write_rate_limit_list(HeadBuffer& out, std::string_view name, std::string_view ours, FieldName id,
                           bool upstream_has_some, const http1::ResponseHead& head)
{
    if (ours.empty())
        return;
    out.append(name);
    out.append(": ");
    out.append(ours);
    if (upstream_has_some) {
        for (const Field& field : head.fields) {
            if (field.id != id || field.value.empty())
                continue;
            out.append(", ");
            out.append(field.value);
        }
    }
    out.append("\r\n");
}

void write_rate_limits(HeadBuffer& out, const ClientHeadContext& c, const ResponsePass& pass)
{
    write_rate_limit_list(out, "RateLimit-Policy", c.rate_limit_policy_items, FieldName::ratelimit_policy,
                          pass.rate_limit_policy, c.head);
    write_rate_limit_list(out, "RateLimit", c.rate_limit_items, FieldName::ratelimit, pass.rate_limit,
                          c.head);
    if (c.legacy_rate_limit == nullptr)
        return;
    out.append("X-RateLimit-Limit: ");
    out.append_number(c.legacy_rate_limit->limit);
    out.append("\r\nX-RateLimit-Remaining: ");
    out.append_number(c.legacy_rate_limit->remaining);
    out.append("\r\nX-RateLimit-Reset: ");
    out.append_number(c.legacy_rate_limit->reset_epoch_seconds);
    out.append("\r\n");
}

void write_response_framing(HeadBuffer& out, const ClientHeadContext& c, BodyKind framing)
{
    // A 204 has no length (RFC 9110 section 8.6); to HEAD and in 304 the length is that of the missing body.
    const bool has_length = framing == BodyKind::length ||
                            (framing == BodyKind::none && c.head.has_content_length && c.head.status != 204);
    if (has_length)
        write_length(out, c.head.content_length);
    else if (framing == BodyKind::chunked)
        out.append("Transfer-Encoding: chunked\r\n");
    if (c.close || framing == BodyKind::until_close)
        out.append("Connection: close\r\n");
    else if (c.client_minor_version == 0)
        out.append("Connection: keep-alive\r\n");
}

bool is_lower_hex(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) noexcept
{
    return text.find_first_not_of('0') == text.npos;
}

} // namespace

void write_upstream_head(HeadBuffer& out, const UpstreamHeadContext& context)
{
    write_request_line(out, context);
    RequestPass pass;
    for (const Field& field : context.head.fields) {
        if (passes_upstream(field, context, pass))
            out.append_field(field.name, field.value);
    }
    if (context.strip_credential != nullptr && !context.stripped_value.empty())
        out.append_field(context.strip_credential->name, context.stripped_value);
    write_forwarded_fields(out, context, pass);
    if (!context.request_id.empty())
        out.append_field("X-Request-Id", context.request_id);
    if (!context.traceparent.empty())
        out.append_field("traceparent", context.traceparent);
    out.append(context.identity_fields);
    write_via(out, context.head.minor_version);
    if (context.head.has_trailer_te)
        out.append("TE: trailers\r\nConnection: TE\r\n"); // RFC 9110 section 10.1.4
    write_request_framing(out, context);
    if (context.ask_continue)
        out.append("Expect: 100-continue\r\n");
    out.append("\r\n");
}

BodyKind client_framing(BodyKind upstream_body, int client_minor_version) noexcept
{
    if (upstream_body != BodyKind::chunked && upstream_body != BodyKind::until_close)
        return upstream_body;
    return client_minor_version == 0 ? BodyKind::until_close : BodyKind::chunked;
}

BodyKind write_client_head(HeadBuffer& out, const ClientHeadContext& context)
{
    const BodyKind framing = client_framing(context.head.body, context.client_minor_version);
    write_status_line(out, context.head);
    ResponsePass pass;
    const bool interim = context.head.status < 200;
    for (const Field& field : context.head.fields) {
        if (passes_to_client(field, context, framing, pass))
            out.append_field(field.name, field.value);
    }
    write_via(out, context.head.minor_version);
    if (!interim) {
        if (!pass.date && !context.date.empty())
            out.append_field("Date", context.date);
        write_rate_limits(out, context, pass);
        if (!context.request_id.empty())
            out.append_field("X-Request-Id", context.request_id);
        write_response_framing(out, context, framing);
    }
    out.append("\r\n");
    return framing;
}

bool is_valid_traceparent(std::string_view value) noexcept
{
    // version "-" trace-id "-" parent-id "-" flags
    if (value.size() < 55 || value[2] != '-' || value[35] != '-' || value[52] != '-')
        return false;
    const std::string_view version = value.substr(0, 2), trace = value.substr(3, 32),
                           parent = value.substr(36, 16);
    if (!is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(parent) ||
        !is_lower_hex(value.substr(53, 2)))
        return false;
    if (version == "ff" || is_zero(trace) || is_zero(parent))
        return false;
    return value.size() == 55 || (version != "00" && value[55] == '-');
}

bool is_valid_request_id(std::string_view value) noexcept
{
    return !value.empty() && value.size() <= 128 && std::all_of(value.begin(), value.end(), [](char c) {
        return c > 0x20 && c < 0x7F && c != '"' && c != '\'' && c != '\\';
    });
}

} // namespace gw
