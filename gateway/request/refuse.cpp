// See refuse.hpp.
#include "request/refuse.hpp"

#include "limiting/rate_limit_fields.hpp"

#include <cstring>

namespace gw {

namespace {

constexpr std::uint64_t k_worth_reading = 64 * 1024; // of a refused request's body

// After `Expect: 100-continue` the body may or may not come: only closing is unambiguous.
bool can_read_away(const Exchange& x, const http1::BodyReader& body) noexcept
{
    if (body.is_complete() || x.head.body == http1::BodyKind::none)
        return true;
    return !x.head.expect_continue && x.head.body == http1::BodyKind::length && body.remaining() <= k_worth_reading;
}

Task<bool> read_away(http1::BodyReader& body, ClientSide& client, Services& s)
{
    while (!body.is_complete()) {
        const auto step = body.next(client.received());
        client.consume(step.consumed);
        if (step.state == http1::BodyReader::Step::State::complete)
            break;
        if (step.state == http1::BodyReader::Step::State::broken)
            co_return false;
        if (!client.received().empty())
            continue;
        client.stream().read_by(s.worker.coarse_now() + s.snapshot->rules.body_idle);
        const IoResult got = co_await client.fill();
        client.stream().read_by(k_never);
        if (got.ec)
            co_return false;
    }
    co_return true;
}

void write_limits(Exchange& x, Services& s, http1::HeadBuffer& out)
{
    if (!x.limited)
        return;
    RateLimitFields fields;
    fields.write(x.charged(), x.limits, x.wall);
    if (!fields.any())
        return;
    out.append_field("RateLimit-Policy", fields.policy_items);
    out.append_field("RateLimit", fields.items);
    if (!s.snapshot->rules.legacy_rate_limit_headers || fields.limit == 0)
        return;
    out.append("X-RateLimit-Limit: ");
    out.append_number(fields.limit);
    out.append("\r\nX-RateLimit-Remaining: ");
    out.append_number(fields.remaining);
    out.append("\r\nX-RateLimit-Reset: ");
    out.append_number(static_cast<std::uint64_t>(fields.reset_epoch_seconds));
    out.append("\r\n");
}

// A request whose target was not understood is named by its id.
std::string_view name_of(const Exchange& x, RequestMemory& memory) noexcept
{
    static constexpr std::string_view k_prefix = "urn:portcullis:request:";
    const std::span<char> out = memory.free_scratch();
    std::memcpy(out.data(), k_prefix.data(), k_prefix.size());
    std::memcpy(out.data() + k_prefix.size(), x.request_id.data(), x.request_id.size());
    return {out.data(), k_prefix.size() + x.request_id.size()};
}

void compose(Exchange& x, RequestMemory& memory, Services& s)
{
    RefusalContext context;
    context.detail = x.detail;
    context.instance = x.target.path.empty() ? name_of(x, memory) : x.target.path;
    context.request_id = x.request_id;
    if (x.route != nullptr) {
        context.realm = x.route->id;
        context.required_scopes = x.route->scopes.empty() ? x.route->any_scope : x.route->scopes;
    }
    if (x.allow != nullptr)
        context.allow = *x.allow;
    std::array<std::string_view, k_max_charges> violated;
    std::size_t count = 0;
    if (x.refusal == Refusal::over_limit) {
        for (std::size_t i = 0; i < x.charge_count; ++i)
            if (x.limits.states[i].violated && x.charges[i].policy->enforce)
                violated[count++] = x.charges[i].policy->name;
        context.retry_after_seconds = x.limits.retry_after_seconds;
    }
    context.violated_policies = {violated.data(), count};
    // The upstream buffer is free: nothing has been or will be sent upstream.
    memory.upstream_head.clear();
    write_limits(x, s, memory.upstream_head);
    context.extra_fields = memory.upstream_head.view();
    context.proxy_status = x.proxy_status;
    context.close = x.close_client;
    context.head_request = x.head.method == http1::Method::head;
    context.minor_version = x.head.minor_version;
    memory.client_head.clear();
    write_refusal(memory.client_head, x.refusal, context);
}

} // namespace

Task<void> refuse(Exchange& x, ClientSide& client, Services& s)
{
    if (x.response_begun) {
        x.close_client = true;
        co_return;
    }
    RequestMemory& memory = client.memory();
    if (closes_connection(x.refusal) || !can_read_away(x, memory.request_body) || !x.head.keep_alive || client.is_last(s.draining))
        x.close_client = true;
    compose(x, memory, s);
    x.status = status_of(x.refusal);
    x.response_begun = true;
    std::array<iovec, 1> parts{};
    const std::string_view head = memory.client_head.view();
    parts[0].iov_base = const_cast<char*>(head.data());
    parts[0].iov_len = head.size();
    const IoResult sent = co_await client.stream().write_all(parts, s.snapshot->rules.body_idle);
    if (sent.ec) {
        x.client_gone = x.close_client = true;
        co_return;
    }
    if (!x.close_client && !co_await read_away(memory.request_body, client, s))
        x.close_client = true;
}

} // namespace gw
