// See session.hpp.
#include "request/session.hpp"

#include "domain/finally.hpp"
#include "http1/head_parser.hpp"
#include "net/open_sessions.hpp"
#include "request/client_address.hpp"
#include "request/client_side.hpp"
#include "request/handle.hpp"
#include "request/header_rules.hpp"


namespace gw {

namespace {

constexpr std::size_t k_first_bytes = 1024; // read before a request has any memory of its own
constexpr std::chrono::milliseconds k_new_in_drain{500};

// A client that was answered before it had sent everything must not lose the answer to a reset: stop sending,
// then read what still comes, for a short while (RFC 9112 section 9.6).
Task<void> close_gently(Stream& stream, Worker& worker)
{
    constexpr std::size_t k_most = 256 * 1024;
    std::array<char, k_first_bytes> ignored;
    stream.shutdown_send();
    stream.read_by(worker.coarse_now() + std::chrono::seconds{2});
    for (std::size_t read = 0; read < k_most;) {
        const IoResult got = co_await stream.read_some(ignored);
        if (got.ec)
            break;
        read += got.bytes;
    }
}

// Request id and trace context: a trusted proxy's own, if valid, else new ones.
void identify(Exchange& x, RequestMemory& memory, Services& s)
{
    for (const http1::Field& field : x.head.fields) {
        if (field.id == http1::FieldName::x_request_id && x.peer_is_trusted && is_valid_request_id(field.value))
            x.request_id = field.value;
        else if (field.id == http1::FieldName::traceparent && is_valid_traceparent(field.value))
            x.traceparent = field.value;
    }
    if (x.request_id.empty())
        x.request_id = s.ids.next_id(memory.request_id_text);
    if (x.traceparent.empty())
        x.traceparent = s.ids.next_traceparent(memory.traceparent_text);
}

void understand_target(Exchange& x, RequestMemory& memory)
{
    using http1::TargetError;
    const bool is_options = x.head.method == http1::Method::options;
    const TargetError error = http1::normalise_target(x.head.target, is_options, memory.free_scratch(), x.target);
    if (error == TargetError::too_long)
        x.refuse(Refusal::target_too_long);
    else if (error != TargetError::none)
        x.refuse(Refusal::ambiguous_target, http1::describe(error));
    else if (x.target.path.data() == memory.scratch.get())
        memory.scratch_used = x.target.path.size();
}

enum class HeadRead : std::uint8_t { complete, refused, ended };

// Reads until the head is whole. `ended`: the client left, or said nothing in time.
Task<HeadRead> read_head(Exchange& x, ClientSide& client, Services& s)
{
    const GatewayRules& rules = s.snapshot->rules;
    RequestMemory& memory = client.memory();
    http1::HeadLimits limits;
    limits.head_bytes = rules.head_bytes;
    limits.fields = rules.head_fields;
    limits.target_bytes = std::min<std::size_t>(rules.head_bytes, 8 * 1024);
    const SteadyTime deadline = std::chrono::steady_clock::now() + rules.head_timeout;
    for (;;) {
        const http1::ParseResult parsed =
            http1::parse_request_head(client.received(), memory.request_fields, limits, x.head);
        if (parsed.status == http1::ParseResult::Status::complete)
            co_return HeadRead::complete;
        if (parsed.status == http1::ParseResult::Status::refused) {
            x.refuse(refusal_for(parsed.error), parsed.detail);
            co_return HeadRead::refused;
        }
        client.stream().read_by(deadline);
        const IoResult got = co_await client.fill();
        client.stream().read_by(k_never);
        if (got.bytes > 0)
            continue;
        if (!client.stream().read_timed_out())
            co_return HeadRead::ended;
        x.refuse(Refusal::head_timeout, "The request's head did not arrive in time.");
        co_return HeadRead::refused;
    }
}

class Session {
public:
    Session(Socket socket, const Tcp::endpoint& peer, Services& s)
        : s_(s), stream_(std::move(socket), s.worker.deadlines()), entry_(stream_, s.worker.open_sessions()),
          peer_(address_of(peer))
    {
    }

    Task<void> run()
    {
        const Finally gone{[this] { s_.metrics.connections_open.sub(); }};
        s_.metrics.connections_accepted.add();
        s_.metrics.connections_open.add();
        while (co_await one_request()) {
        }
        if (linger_)
            co_await close_gently(stream_, s_.worker);
        if (cut_)
            stream_.abort(); // a truncated response must not look complete, whatever framed it
        else
            stream_.close();
    }

private:
    // True if the connection goes on to another request.
    Task<bool> one_request()
    {
        if (!memory_ && !co_await first_bytes())
            co_return false;
        RequestMemory& memory = *memory_;
        memory.scratch_used = 0;
        ClientSide client{stream_, memory, received_};
        Exchange& x = memory.exchange;
        x.peer = peer_;
        x.started = std::chrono::steady_clock::now();
        const HeadRead read = co_await read_head(x, client, s_);
        if (read == HeadRead::ended)
            co_return false;
        prepare(x, client, read == HeadRead::complete);
        co_await handle(x, client, s_);
        co_return next(x, client);
    }

    // Waits for a request's first byte with no buffer but this frame's, then takes memory for it.
    Task<bool> first_bytes()
    {
        std::array<char, k_first_bytes> first;
        entry_.set_idle(true);
        IoResult got{};
        if (!s_.draining) {
            stream_.read_by(s_.worker.coarse_now() + s_.snapshot->rules.keep_alive);
            got = co_await (is_new_ ? stream_.read_some(first) : stream_.read_next(first));
        }
        if (got.bytes == 0 && s_.draining)
            got.bytes = stream_.read_now(first); // what had arrived is still answered
        if (got.bytes == 0 && s_.draining && is_new_ && !stream_.read_timed_out()) {
            // Nobody has told this client to go elsewhere: its request is probably on the way.
            stream_.read_by(s_.worker.coarse_now() + k_new_in_drain);
            got = co_await stream_.read_some(first);
        }
        stream_.read_by(k_never);
        entry_.set_idle(false);
        if (got.bytes == 0)
            co_return false;
        is_new_ = false;
        memory_ = s_.memory.take();
        std::memcpy(memory_->buffer.get(), first.data(), got.bytes);
        received_ = got.bytes;
        co_return true;
    }

    void prepare(Exchange& x, ClientSide& client, bool complete)
    {
        RequestMemory& memory = *memory_;
        x.wall = wall_now();
        x.draining = s_.draining;
        x.peer_is_trusted = any_contains(s_.snapshot->rules.trusted_proxies, peer_);
        if (complete) {
            client.end_of_head(x.head.head_bytes);
            memory.request_body = http1::BodyReader{x.head.body, x.head.content_length};
        } else {
            // What was understood of a refused head is not shown and not acted upon.
            x.head = http1::RequestHead{};
            x.head.keep_alive = false;
        }
        x.client = x.peer_is_trusted ? forwarded_client(x.head.fields, peer_, s_.snapshot->rules.trusted_proxies) : peer_;
        x.client_text = x.client.write(memory.client_text);
        identify(x, memory, s_);
        if (complete)
            understand_target(x, memory);
    }

    bool next(const Exchange& x, ClientSide& client)
    {
        const bool go_on = !x.close_client && !x.client_gone;
        cut_ = x.broken_off;
        linger_ = x.close_client && !x.client_gone && x.response_begun && !cut_;
        received_ = go_on ? client.keep_rest() : 0;
        memory_->exchange = Exchange{};
        if (received_ == 0)
            s_.memory.give_back(std::move(memory_));
        return go_on;
    }

    Services& s_;
    Stream stream_;
    OpenSessions::Entry entry_;
    Address peer_;
    std::unique_ptr<RequestMemory> memory_;
    std::size_t received_ = 0;
    bool linger_ = false, cut_ = false;
    bool is_new_ = true; // has not sent a request yet
};

Task<void> turn_away(Socket socket, Services& s)
{
    static constexpr std::string_view k_answer = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                                                 "Retry-After: 1\r\nContent-Length: 0\r\n\r\n";
    s.metrics.connections_refused.add();
    Stream stream{std::move(socket), s.worker.deadlines()};
    std::array<iovec, 1> parts{};
    parts[0].iov_base = const_cast<char*>(k_answer.data());
    parts[0].iov_len = k_answer.size();
    co_await stream.write_all(parts, std::chrono::seconds{1});
    stream.close();
}

} // namespace

Task<void> serve_connection(Socket socket, Tcp::endpoint peer, Services& s)
{
    const Address address = address_of(peer);
    if (!s.caps.enter(address)) {
        co_await turn_away(std::move(socket), s);
        co_return;
    }
    const Finally left{[&s, &address] { s.caps.leave(address); }};
    Session session{std::move(socket), peer, s};
    co_await session.run();
}

} // namespace gw
