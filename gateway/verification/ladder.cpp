// Steps 1 and 2, and the worker's ends of everything else. Steps 3 to 6 are in flight.cpp.
#include "verification/ladder.hpp"

#include "verification/flight.hpp"

namespace gw {

using Ending = Verification::Outcome;

struct Ladder::State {
    State(const LadderSettings& settings, const VerificationStores& given, WorkerMetrics& counters)
        : memory(settings), stores(given), metrics(counters)
    {
    }

    WorkerMemory memory;
    VerificationStores stores;
    WorkerMetrics& metrics;
};

Ladder::Ladder(LadderSettings settings, VerificationStores stores, WorkerMetrics& metrics)
    : state_(std::make_unique<State>(settings, stores, metrics))
{
}

Ladder::~Ladder() = default;

Verification Ladder::try_verify(std::string_view credential, MonoTime now, WallTime wall) noexcept
{
    const auto presented = parse_api_key(credential, state_->memory.settings.brand);
    if (!presented)
        return answer_of(Ending::malformed);

    const DigestCache::Entry* entry = state_->memory.cache.find(presented->id);
    if (entry && entry->is_revoked()) {
        state_->metrics.cache_hits.add();
        return answer_of(Ending::revoked);
    }
    if (!entry || !state_->memory.is_usable(*entry, now)) {
        state_->metrics.cache_misses.add();
        return answer_of(Ending::ask);
    }
    const Judgement judgement = judge_by_hash(entry->versions, sha256(presented->secret), wall);
    if (judgement.kind == Judgement::Kind::open) {
        state_->metrics.cache_misses.add();
        return answer_of(Ending::ask);
    }
    state_->metrics.cache_hits.add();
    if (judgement.kind == Judgement::Kind::ended)
        return answer_of(Ending::revoked);
    if (judgement.kind == Judgement::Kind::mismatch || entry->principal->key.environment != presented->environment)
        return answer_of(Ending::unknown);
    return answer_of(entry->principal, judgement.version, wall);
}

awaitable<Verification> Ladder::verify(std::string_view credential, Address client)
{
    const auto presented = parse_api_key(credential, state_->memory.settings.brand);
    if (!presented)
        co_return answer_of(Ending::malformed);
    Flight flight{state_->memory, state_->stores, state_->metrics, *this, *presented, client};
    Verification answer = co_await flight.run();
    answer.epoch = epoch();
    co_return answer;
}

void Ladder::apply(const Change& change)
{
    if (change.subject == Change::Subject::tenant) {
        if (const auto tenant = TenantId::parse(change.id))
            state_->memory.cache.void_tenant(*tenant);
        return;
    }
    if (const auto key = KeyId::parse(change.id))
        state_->memory.cache.void_key(*key, change.record_version, monotonic());
}

void Ladder::feed_was_current(MonoTime when) noexcept
{
    auto& current = state_->memory.feed_current;
    if (when != MonoTime::min() && (!current || *current < when))
        current = when;
}

std::uint64_t Ladder::epoch() const noexcept
{
    return state_->memory.cache.epoch();
}

std::size_t Ladder::cached_entries() const noexcept
{
    return state_->memory.cache.size();
}

} // namespace gw
