// See body_pump.hpp.
#include "request/body_pump.hpp"

namespace gw {

namespace {

Task<PumpEnd> run(Exchange& x, ClientSide& client, UpstreamConnection& upstream, Services& s,
                  std::chrono::milliseconds upstream_idle)
{
    RequestMemory& memory = client.memory();
    BodyBatch& batch = memory.upstream_batch;
    const bool chunked = x.head.body == http1::BodyKind::chunked;
    for (;;) {
        if (client.received().empty()) {
            client.stream().read_by(s.worker.coarse_now() + s.snapshot->rules.body_idle);
            const IoResult got = co_await client.fill();
            client.stream().read_by(k_never);
            if (got.bytes == 0)
                co_return client.stream().read_timed_out() ? PumpEnd::client_timeout : PumpEnd::client_gone;
        }
        batch.clear();
        batch.gather(memory.request_body, client.received(), chunked);
        x.bytes_in += batch.payload();
        if (x.bytes_in > x.route->body_bytes)
            co_return PumpEnd::too_large;
        if (!batch.is_empty()) {
            const IoResult sent = co_await upstream.stream().write_all(batch.parts(), upstream_idle);
            if (sent.ec)
                co_return PumpEnd::upstream_gone;
        }
        client.consume(batch.consumed());
        if (batch.state() == BodyBatch::State::broken)
            co_return PumpEnd::client_broken;
        if (batch.state() == BodyBatch::State::complete)
            co_return PumpEnd::done;
    }
}

} // namespace

Task<PumpEnd> pump_request_body(Exchange& x, ClientSide& client, UpstreamConnection& upstream, Services& s,
                                std::chrono::milliseconds upstream_idle, std::chrono::milliseconds first_byte)
{
    const PumpEnd end = co_await run(x, client, upstream, s, upstream_idle);
    if (end == PumpEnd::done || end == PumpEnd::upstream_gone)
        upstream.stream().read_by(s.worker.coarse_now() + first_byte); // the upstream's turn
    else
        upstream.stream().cancel();
    co_return end;
}

} // namespace gw
