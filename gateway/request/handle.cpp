// See handle.hpp.
#include "request/handle.hpp"

#include "domain/finally.hpp"
#include "net/await_bridge.hpp"
#include "ports/rate_limiter.hpp"
#include "request/account.hpp"
#include "request/authenticate.hpp"
#include "request/authorize.hpp"
#include "request/forward.hpp"
#include "request/limit.hpp"
#include "request/refuse.hpp"

namespace gw {

namespace {

Verdict match_route(Exchange& x, const Snapshot& snapshot)
{
    const std::string_view host = http1::host_without_port(x.head.host);
    const RouteMatch match = snapshot.routes.match(host, x.target.path, x.head.method, x.head.method_text);
    x.route = match.route;
    x.allow = match.allow;
    if (match.route != nullptr)
        return Verdict::pass;
    return x.refuse(match.allow != nullptr ? Refusal::method_not_allowed : Refusal::no_route);
}

// The ladder's answer, as it is in this very turn: a change that was applied since it was given makes it worthless,
// since this node may have acknowledged that change by now.
Task<Verification> verify(Exchange& x, Services& s)
{
    constexpr int k_rounds = 8;
    for (int round = 0; round < k_rounds; ++round) {
        awaitable<Verification> verifying = s.ladder.verify(x.credential, x.client);
        FromAwaitable<Verification> verified{s.worker.executor(), std::move(verifying)};
        Verification answer = co_await verified;
        if (answer.epoch == s.ladder.epoch())
            co_return answer;
    }
    Verification none;
    none.outcome = Verification::Outcome::unavailable;
    co_return none;
}

// The same stages from where memory did not know, awaiting what is missing.
Task<Verdict> decide_slowly(Exchange& x, Services& s, OpenExchanges::Entry& open)
{
    if (x.stage == Stage::authenticate) {
        const Verification answer = co_await verify(x, s);
        x.wall = wall_now();
        if (const Verdict v = accept(x, answer, *s.snapshot, s.metrics); v != Verdict::pass)
            co_return v;
        open.enter(s.open_exchanges);
        x.stage = Stage::authorize;
        if (const Verdict v = authorize(x, s.metrics); v != Verdict::pass)
            co_return v;
        x.stage = Stage::limit;
        if (const Verdict v = limit(x, *s.snapshot, s.limiter, s.metrics); v != Verdict::ask_the_stores)
            co_return v;
    }
    awaitable<void> charging = s.limiter.charge(x.charged(), x.route->cost, x.limits);
    FromAwaitable<void> charged{s.worker.executor(), std::move(charging)};
    co_await charged;
    co_return judge_limits(x, s.metrics);
}

} // namespace

Verdict decide(Exchange& x, RequestMemory& memory, Services& s)
{
    if (const Verdict v = match_route(x, *s.snapshot); v != Verdict::pass)
        return v;
    x.stage = Stage::authenticate;
    if (const Verdict v = authenticate(x, memory, *s.snapshot, s.ladder, s.metrics); v != Verdict::pass)
        return v;
    x.stage = Stage::authorize;
    if (const Verdict v = authorize(x, s.metrics); v != Verdict::pass)
        return v;
    x.stage = Stage::limit;
    return limit(x, *s.snapshot, s.limiter, s.metrics);
}

Task<void> handle(Exchange& x, ClientSide& client, Services& s)
{
    const Finally accounted{[&] { account(x, s); }};
    OpenExchanges::Entry open{x, client.stream()};
    try {
        Verdict verdict = x.refusal != Refusal::none ? Verdict::refused : decide(x, client.memory(), s);
        if (verdict != Verdict::refused)
            open.enter(s.open_exchanges);
        if (verdict == Verdict::ask_the_stores)
            verdict = co_await decide_slowly(x, s, open);
        if (verdict == Verdict::admitted) {
            x.stage = Stage::forward;
            verdict = co_await forward(x, client, *s.upstreams[x.route->upstream], open, s);
        }
        open.leave();
        if (verdict == Verdict::refused)
            co_await refuse(x, client, s);
        co_return;
    } catch (const std::exception& e) {
        log(LogLevel::error, "request.failed", {{"request_id", x.request_id}, {"what", e.what()}});
    }
    open.leave();
    x.close_client = true;
    if (x.response_begun) {
        x.broken_off = true;
    } else {
        x.refuse(Refusal::internal_error);
        co_await refuse(x, client, s);
    }
}

} // namespace gw
