// See forward.hpp.
#include "request/forward.hpp"

#include "http1/head_parser.hpp"
#include "request/body_pump.hpp"
#include "request/response_relay.hpp"
#include "request/upstream_head.hpp"

namespace gw {

namespace {

bool is_idempotent(http1::Method method) noexcept
{
    using http1::Method;
    return method == Method::get || method == Method::head || method == Method::put || method == Method::delete_ ||
           method == Method::options;
}

class Forwarding {
public:
    Forwarding(Exchange& x, ClientSide& client, UpstreamPool& pool, OpenExchanges::Entry& open, Services& s) noexcept
        : x_(x), client_(client), memory_(client.memory()), pool_(pool), open_(open), s_(s)
    {
        open_.set_upstream(&lease_);
    }
    Forwarding(const Forwarding&) = delete;
    Forwarding& operator=(const Forwarding&) = delete;
    ~Forwarding() { open_.set_upstream(nullptr); }

    Task<Verdict> run()
    {
        if (is_cut())
            co_return x_.refuse(x_.cut);
        if (x_.head.body == http1::BodyKind::length && x_.head.content_length > x_.route->body_bytes)
            co_return x_.refuse(Refusal::body_too_large);
        write_upstream_head(x_, memory_, pool_.options());
        if (take_idle()) {
            const Attempt first = co_await attempt();
            if (first != Attempt::try_again)
                co_return verdict_;
            lease_.discard();
            s_.metrics.upstream_retries.add();
            x_.bytes_in = 0;
            memory_.request_body = http1::BodyReader{x_.head.body, x_.head.content_length};
        }
        if (!co_await connect())
            co_return Verdict::refused;
        co_await attempt();
        co_return verdict_;
    }

private:
    enum class Attempt : std::uint8_t { ended, try_again };

    // The key has ended. Whatever was pending has been cancelled, whatever begins now has not: to be looked at after
    // each wait.
    bool is_cut() const noexcept { return x_.cut != Refusal::none; }

    // A request that must not be sent twice only goes where the upstream has not hung up in the meantime.
    bool take_idle()
    {
        lease_ = pool_.take_idle();
        while (lease_ && !is_idempotent(x_.head.method) && !lease_->stream().is_quiet())
            lease_ = pool_.take_idle();
        return static_cast<bool>(lease_);
    }

    Task<bool> connect()
    {
        UpstreamPool::Connected connected = co_await pool_.connect();
        if (is_cut()) {
            x_.refuse(x_.cut);
            co_return false;
        }
        if (!connected.ec) {
            lease_ = std::move(connected.lease);
            co_return true;
        }
        const bool too_slow = connected.ec == asio::error::timed_out;
        x_.proxy_status = too_slow ? "portcullis; error=connection_timeout"
                          : connected.ec == asio::error::connection_refused ? "portcullis; error=connection_refused"
                                                                            : "portcullis; error=destination_unavailable";
        x_.refuse(too_slow ? Refusal::upstream_timeout : Refusal::upstream_unreachable);
        log(LogLevel::warn, "upstream.connect_failed",
            {{"upstream", pool_.options().name}, {"error", connected.ec.message()}, {"request_id", x_.request_id}});
        co_return false;
    }

    // One try on lease_. Sets verdict_.
    Task<Attempt> attempt()
    {
        if (!co_await send_first())
            co_return Attempt::ended;
        if (memory_.upstream_batch.state() == BodyBatch::State::more) {
            client_.consume(memory_.upstream_batch.consumed());
            pump_.start(pump_request_body(x_, client_, *lease_, s_, pool_.options().idle, pool_.options().first_byte));
        } else {
            lease_->stream().read_by(s_.worker.coarse_now() + pool_.options().first_byte);
        }
        const HeadEnd head = co_await read_head();
        if (head == HeadEnd::none_at_all && !is_cut() && may_try_again())
            co_return Attempt::try_again;
        if (!pump_.started())
            client_.consume(memory_.upstream_batch.consumed());
        if (head == HeadEnd::complete && !is_cut())
            verdict_ = co_await relay_response(x_, client_, *lease_, response_, s_, pool_.options().idle);
        else
            verdict_ = blame(head);
        co_await settle();
        co_return Attempt::ended;
    }

    // The head and what has arrived of the body, in one write. False: verdict_ says why not.
    Task<bool> send_first()
    {
        BodyBatch& batch = memory_.upstream_batch;
        batch.clear();
        batch.add(memory_.upstream_head.view());
        batch.gather(memory_.request_body, client_.received(), x_.head.body == http1::BodyKind::chunked);
        x_.bytes_in = batch.payload();
        if (batch.state() == BodyBatch::State::broken || x_.bytes_in > x_.route->body_bytes) {
            verdict_ = x_.refuse(batch.state() == BodyBatch::State::broken ? Refusal::ambiguous_framing
                                                                           : Refusal::body_too_large,
                                 batch.state() == BodyBatch::State::broken ? "The request body's chunks are malformed." : "");
            lease_.give_back();
            co_return false;
        }
        if (x_.head.expect_continue && batch.state() == BodyBatch::State::more && !continued_ &&
            !co_await invite_body()) {
            verdict_ = is_cut() ? x_.refuse(x_.cut) : Verdict::done;
            lease_.give_back();
            co_return false;
        }
        // A failed write shows in the read: the upstream may have answered before it closed.
        co_await lease_->stream().write_all(batch.parts(), pool_.options().idle);
        if (is_cut()) {
            verdict_ = x_.refuse(x_.cut);
            co_return false; // the lease discards the connection
        }
        x_.sent_upstream = std::chrono::steady_clock::now();
        co_return true;
    }

    Task<bool> invite_body()
    {
        static constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
        continued_ = true;
        std::array<iovec, 1> parts{};
        parts[0].iov_base = const_cast<char*>(k_continue.data());
        parts[0].iov_len = k_continue.size();
        const IoResult sent = co_await client_.stream().write_all(parts, s_.snapshot->rules.body_idle);
        if (sent.ec) {
            x_.close_client = true;
            x_.client_gone = !is_cut();
        }
        co_return !sent.ec;
    }

    enum class HeadEnd : std::uint8_t { complete, none_at_all, cut_short, malformed, timeout };

    Task<HeadEnd> read_head()
    {
        bool any = false;
        http1::HeadLimits limits;
        limits.head_bytes = pool_.options().buffer_bytes;
        limits.fields = memory_.response_fields.size();
        for (;;) {
            const std::span<char> unread = lease_->unread();
            const http1::ParseResult parsed =
                http1::parse_response_head({unread.data(), unread.size()}, memory_.response_fields, limits,
                                           x_.head.method == http1::Method::head, response_);
            if (parsed.status == http1::ParseResult::Status::refused) {
                x_.detail = parsed.detail;
                co_return HeadEnd::malformed;
            }
            if (parsed.status == http1::ParseResult::Status::complete) {
                if (response_.status >= 200)
                    break;
                if (response_.status == 101)
                    co_return HeadEnd::malformed; // nobody asked for another protocol
                if (response_.status != 100 && !co_await relay_interim(x_, client_, response_, s_))
                    co_return HeadEnd::cut_short;
                lease_->consume(response_.head_bytes);
                any = true;
                continue;
            }
            const IoResult got = co_await lease_->receive();
            if (is_cut())
                co_return HeadEnd::cut_short;
            any = any || got.bytes > 0;
            if (got.bytes == 0)
                co_return lease_->stream().read_timed_out() ? HeadEnd::timeout
                          : any                             ? HeadEnd::cut_short
                                                            : HeadEnd::none_at_all;
        }
        lease_->stream().read_by(k_never);
        x_.upstream_head = std::chrono::steady_clock::now();
        co_return HeadEnd::complete;
    }

    bool may_try_again() const noexcept
    {
        return lease_.was_reused() && !pump_.started() && is_idempotent(x_.head.method);
    }

    // No usable response: whose fault, and what the client is told.
    Verdict blame(HeadEnd head)
    {
        if (is_cut())
            return x_.refuse(x_.cut);
        if (x_.client_gone)
            return Verdict::done;
        if (pump_.started() && pump_.is_done()) {
            switch (pump_.value()) {
            case PumpEnd::client_gone:
                x_.client_gone = x_.close_client = true;
                return Verdict::done;
            case PumpEnd::client_timeout:
                return x_.refuse(Refusal::body_timeout);
            case PumpEnd::client_broken:
                return x_.refuse(Refusal::ambiguous_framing, "The request body's chunks are malformed.");
            case PumpEnd::too_large:
                return x_.refuse(Refusal::body_too_large);
            case PumpEnd::done:
            case PumpEnd::upstream_gone:
                break;
            }
        }
        log(LogLevel::warn, "upstream.failed",
            {{"upstream", pool_.options().name},
             {"why", head == HeadEnd::timeout ? "timeout" : head == HeadEnd::malformed ? "malformed response" : "closed"},
             {"request_id", x_.request_id}});
        x_.detail = {};
        x_.proxy_status = head == HeadEnd::timeout     ? "portcullis; error=http_response_timeout"
                          : head == HeadEnd::malformed ? "portcullis; error=http_protocol_error"
                                                       : "portcullis; error=connection_terminated";
        return x_.refuse(head == HeadEnd::timeout ? Refusal::upstream_timeout : Refusal::upstream_broken);
    }

    // Ends the pump if it still runs, and decides what becomes of the two connections.
    Task<void> settle()
    {
        if (pump_.started()) {
            if (!pump_.is_done()) {
                // Answered before the body was read: the rest of it is nobody's.
                x_.close_client = true;
                lease_->stream().cancel();
                client_.stream().cancel();
            }
            const PumpEnd end = co_await pump_.join();
            if (end != PumpEnd::done)
                x_.close_client = true;
            if (end == PumpEnd::client_gone && !x_.response_begun && !is_cut())
                x_.client_gone = true;
            if (end != PumpEnd::done)
                co_return; // the lease discards the connection
        }
        if (verdict_ == Verdict::done && !x_.client_gone && response_.keep_alive && memory_.response_body.is_complete())
            lease_.give_back();
    }

    Exchange& x_;
    ClientSide& client_;
    RequestMemory& memory_;
    UpstreamPool& pool_;
    OpenExchanges::Entry& open_;
    Services& s_;
    UpstreamLease lease_;
    http1::ResponseHead response_;
    Fork<PumpEnd> pump_;
    Verdict verdict_ = Verdict::done;
    bool continued_ = false;
};

} // namespace

Task<Verdict> forward(Exchange& x, ClientSide& client, UpstreamPool& upstream, OpenExchanges::Entry& open, Services& s)
{
    Forwarding forwarding{x, client, upstream, open, s};
    co_return co_await forwarding.run();
}

} // namespace gw
