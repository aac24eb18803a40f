// See authenticate.hpp.
#include "request/authenticate.hpp"

#include "request/credential_text.hpp"
#include "verification/ladder.hpp"

namespace gw {

namespace {

void count(WorkerMetrics& metrics, AuthDecision decision) noexcept
{
    metrics.auth[static_cast<std::size_t>(decision)].add();
}

} // namespace

Verdict accept(Exchange& x, const Verification& answer, const Snapshot& snapshot, WorkerMetrics& metrics)
{
    using Answer = Verification::Outcome;
    x.caller = answer;
    switch (answer.outcome) {
    case Answer::verified:
        if (!snapshot.deny_keys.empty() && snapshot.deny_keys.contains(answer.principal->key.id)) {
            x.caller.principal.reset();
            count(metrics, AuthDecision::revoked);
            return x.refuse(Refusal::invalid_key);
        }
        count(metrics, AuthDecision::ok);
        return Verdict::pass;
    case Answer::ask:
        return Verdict::ask_the_stores;
    case Answer::malformed:
        count(metrics, AuthDecision::malformed);
        return x.refuse(Refusal::invalid_key);
    case Answer::unknown:
        count(metrics, AuthDecision::unknown);
        return x.refuse(Refusal::invalid_key);
    case Answer::revoked:
        count(metrics, AuthDecision::revoked);
        return x.refuse(Refusal::invalid_key);
    case Answer::expired:
        count(metrics, AuthDecision::expired);
        return x.refuse(Refusal::key_expired);
    case Answer::disabled:
        count(metrics, AuthDecision::disabled);
        return x.refuse(Refusal::key_disabled);
    case Answer::too_many_failures:
        count(metrics, AuthDecision::too_many_failures);
        return x.refuse(Refusal::too_many_failures);
    case Answer::overloaded:
        count(metrics, AuthDecision::overloaded);
        return x.refuse(Refusal::hashing_overloaded);
    case Answer::unavailable:
        count(metrics, AuthDecision::unavailable);
        return x.refuse(Refusal::store_unavailable);
    }
    return x.refuse(Refusal::internal_error);
}

Verdict authenticate(Exchange& x, RequestMemory& memory, const Snapshot& snapshot, Ladder& ladder, WorkerMetrics& metrics)
{
    const Route& route = *x.route;
    const FoundCredential found = find_credential(x, memory, snapshot.rules.brand);
    if (found.ambiguous)
        return x.refuse(Refusal::ambiguous_credential, "Send one API key, once.");
    x.credential = found.text;
    x.credential_field = found.field;
    if (route.auth == RouteAuth::none) {
        x.credential = {};
        count(metrics, AuthDecision::none_needed);
        return Verdict::pass;
    }
    if (x.credential.empty()) {
        if (route.auth == RouteAuth::optional) {
            count(metrics, AuthDecision::none_needed);
            return Verdict::pass;
        }
        count(metrics, AuthDecision::missing);
        return x.refuse(Refusal::no_credential);
    }
    if (const auto shown = parse_api_key(x.credential, snapshot.rules.brand);
        shown && !snapshot.deny_keys.empty() && snapshot.deny_keys.contains(shown->id)) {
        count(metrics, AuthDecision::revoked);
        return x.refuse(Refusal::invalid_key);
    }
    return accept(x, ladder.try_verify(x.credential, x.started, x.wall), snapshot, metrics);
}

} // namespace gw
