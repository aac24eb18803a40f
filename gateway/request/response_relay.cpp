// See response_relay.hpp.
#include "request/response_relay.hpp"

#include "limiting/rate_limit_fields.hpp"
#include "request/header_rules.hpp"

namespace gw {

namespace {

class Relay {
public:
    Relay(Exchange& x, ClientSide& client, UpstreamConnection& upstream, const http1::ResponseHead& response,
          Services& s, std::chrono::milliseconds upstream_idle) noexcept
        : x_(x), client_(client), memory_(client.memory()), upstream_(upstream), response_(response), s_(s),
          upstream_idle_(upstream_idle)
    {
    }

    Task<Verdict> run()
    {
        decide_framing();
        compose_head();
        memory_.response_body = http1::BodyReader{response_.body, response_.content_length};
        BodyBatch& batch = memory_.client_batch;
        batch.clear();
        batch.add(memory_.client_head.view());
        upstream_.consume(response_.head_bytes); // the head's views are not used any more
        x_.status = response_.status;
        x_.response_begun = true;
        for (;;) {
            if (x_.cut != Refusal::none)
                co_return end_by_order();
            const std::span<char> unread = upstream_.unread();
            batch.gather(memory_.response_body, {unread.data(), unread.size()}, rechunk_);
            if (!co_await send(batch))
                co_return x_.client_gone ? Verdict::done : end_by_order();
            upstream_.consume(batch.consumed());
            if (batch.state() == BodyBatch::State::complete)
                co_return Verdict::done;
            if (batch.state() == BodyBatch::State::broken)
                co_return cut("portcullis; error=http_protocol_error");
            batch.clear();
            if (!upstream_.unread().empty())
                continue;
            upstream_.stream().read_by(s_.worker.coarse_now() + upstream_idle_);
            const IoResult got = co_await upstream_.receive();
            upstream_.stream().read_by(k_never);
            if (got.bytes > 0 || x_.cut != Refusal::none)
                continue;
            if (got.ec != asio::error::eof || !memory_.response_body.end_of_stream())
                co_return cut("portcullis; error=connection_terminated");
            if (rechunk_)
                batch.add_last_chunk();
            const bool is_sent = co_await send(batch);
            co_return is_sent || x_.client_gone ? Verdict::done : end_by_order();
        }
    }

private:
    // Our own framing towards the client: a length where there is one, else chunks, else the connection's end.
    void decide_framing() noexcept
    {
        const http1::BodyKind framing = client_framing(response_.body, x_.head.minor_version);
        rechunk_ = framing == http1::BodyKind::chunked;
        if (!x_.head.keep_alive || client_.is_last(s_.draining) || framing == http1::BodyKind::until_close)
            x_.close_client = true;
    }

    void compose_head()
    {
        RateLimitFields limits;
        if (x_.limited)
            limits.write(x_.charged(), x_.limits, x_.wall);
        const LegacyRateLimit legacy{limits.limit, limits.remaining,
                                     static_cast<std::uint64_t>(limits.reset_epoch_seconds)};
        ClientHeadContext context{response_};
        context.client_minor_version = x_.head.minor_version;
        context.close = x_.close_client;
        context.request_id = x_.request_id;
        context.rate_limit_items = limits.items;
        context.rate_limit_policy_items = limits.policy_items;
        if (s_.snapshot->rules.legacy_rate_limit_headers && limits.any())
            context.legacy_rate_limit = &legacy;
        memory_.client_head.clear();
        write_client_head(memory_.client_head, context);
    }

    Task<bool> send(BodyBatch& batch)
    {
        x_.bytes_out += batch.payload();
        if (batch.is_empty())
            co_return true;
        const IoResult sent = co_await client_.stream().write_all(batch.parts(), s_.snapshot->rules.body_idle);
        if (sent.ec) {
            x_.close_client = true;
            x_.client_gone = x_.cut == Refusal::none;
        }
        co_return !sent.ec;
    }

    // The key has ended before the response has.
    Verdict end_by_order()
    {
        x_.close_client = x_.broken_off = true;
        log(LogLevel::info, "response.cut", {{"code", code_of(x_.cut)}, {"request_id", x_.request_id}});
        return x_.refuse(x_.cut);
    }

    // The response cannot be completed: the client must see that it is not whole.
    Verdict cut(const char* proxy_status)
    {
        x_.proxy_status = proxy_status;
        x_.close_client = x_.broken_off = true;
        log(LogLevel::warn, "upstream.response_cut", {{"why", proxy_status}, {"request_id", x_.request_id}});
        return x_.refuse(Refusal::upstream_broken);
    }

    Exchange& x_;
    ClientSide& client_;
    RequestMemory& memory_;
    UpstreamConnection& upstream_;
    const http1::ResponseHead& response_;
    Services& s_;
    std::chrono::milliseconds upstream_idle_;
    bool rechunk_ = false;
};

} // namespace

Task<Verdict> relay_response(Exchange& x, ClientSide& client, UpstreamConnection& upstream,
                             const http1::ResponseHead& response, Services& s, std::chrono::milliseconds upstream_idle)
{
    Relay relay{x, client, upstream, response, s, upstream_idle};
    co_return co_await relay.run();
}

Task<bool> relay_interim(Exchange& x, ClientSide& client, const http1::ResponseHead& response, Services& s)
{
    if (x.head.minor_version == 0)
        co_return true;
    RequestMemory& memory = client.memory();
    memory.client_head.clear();
    ClientHeadContext context{response};
    write_client_head(memory.client_head, context);
    std::array<iovec, 1> parts{};
    const std::string_view head = memory.client_head.view();
    parts[0].iov_base = const_cast<char*>(head.data());
    parts[0].iov_len = head.size();
    const IoResult sent = co_await client.stream().write_all(parts, s.snapshot->rules.body_idle);
    if (sent.ec) {
        x.close_client = true;
        x.client_gone = x.cut == Refusal::none;
    }
    co_return !sent.ec;
}

} // namespace gw
