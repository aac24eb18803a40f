// Steps 1 and 2, and the worker's ends of everything else. Steps 3 to 6 are in flight.cpp.
#include "verification/ladder.hpp"

#include "verification/failed_attempts.hpp"
#include "verification/flight.hpp"
#include "verification/foreign_keys.hpp"

namespace gw {

using Ending = Verification::Outcome;

struct Ladder::State {
    State(const LadderSettings& settings, const VerificationStores& given, WorkerMetrics& counters)
        : memory(settings), stores(given), metrics(counters)
    {
    }

    // Imported keys manage nothing.
    bool may_be_foreign(std::string_view credential) const noexcept
    {
        return stores.foreign.are_any() && !memory.settings.management && is_foreign_key(credential, memory.settings.brand);
    }
    // Step 2: what a key's entry says before its secret is looked at: revoked or ask, if it ends there.
    std::optional<Ending> before_secret(const DigestCache::Entry* entry, MonoTime now) noexcept;
    // What it says of the secret with this SHA-256 (of an imported key: of its text); or `ask`.
    Verification by_secret(const DigestCache::Entry& entry, const Sha256& presented, WallTime wall) noexcept;

    WorkerMemory memory;
    VerificationStores stores;
    WorkerMetrics& metrics;
};

std::optional<Ending> Ladder::State::before_secret(const DigestCache::Entry* entry, MonoTime now) noexcept
{
    if (entry && entry->is_revoked()) {
        metrics.cache_hits.add();
        return Ending::revoked;
    }
    if (entry && memory.is_usable(*entry, now))
        return std::nullopt;
    metrics.cache_misses.add();
    return Ending::ask;
}

Verification Ladder::State::by_secret(const DigestCache::Entry& entry, const Sha256& presented, WallTime wall) noexcept
{
    const Judgement judgement = judge_by_hash(entry.versions, presented, wall);
    if (judgement.kind == Judgement::Kind::open) {
        metrics.cache_misses.add();
        return answer_of(Ending::ask);
    }
    metrics.cache_hits.add();
    if (judgement.kind == Judgement::Kind::ended)
        return answer_of(Ending::revoked);
    if (judgement.kind == Judgement::Kind::mismatch)
        return answer_of(Ending::unknown);
    return answer_of(entry.principal, judgement.version, wall);
}

Ladder::Ladder(LadderSettings settings, VerificationStores stores, WorkerMetrics& metrics)
    : state_(std::make_unique<State>(settings, stores, metrics))
{
}

Ladder::~Ladder() = default;

Verification Ladder::try_verify(std::string_view credential, MonoTime now, WallTime wall) noexcept
{
    const auto presented = parse_api_key(credential, state_->memory.settings.brand);
    if (!presented)
        return try_foreign(credential, now, wall);

    const DigestCache::Entry* entry = state_->memory.cache.find(presented->id);
    if (const auto ending = state_->before_secret(entry, now))
        return answer_of(*ending);
    Verification answer = state_->by_secret(*entry, sha256(presented->secret), wall);
    if (answer.principal && answer.principal->key.environment != presented->environment)
        return answer_of(Ending::unknown);
    return answer;
}

Verification Ladder::try_foreign(std::string_view credential, MonoTime now, WallTime wall) noexcept
{
    if (!state_->may_be_foreign(credential))
        return answer_of(Ending::malformed);
    const Sha256 text = sha256(credential);
    const DigestCache::Entry* entry = state_->memory.cache.find_foreign(text);
    if (const auto ending = state_->before_secret(entry, now))
        return answer_of(*ending);
    return state_->by_secret(*entry, text, wall);
}

awaitable<Verification> Ladder::verify(std::string_view credential, Address client)
{
    const auto shown = parse_api_key(credential, state_->memory.settings.brand);
    if (!shown)
        co_return co_await verify_foreign(credential, client);
    PresentedCredential presented;
    presented.id = shown->id;
    presented.environment = shown->environment;
    presented.secret = shown->secret;
    presented.hash = sha256(shown->secret);
    co_return co_await take_off(presented, client);
}

awaitable<Verification> Ladder::take_off(const PresentedCredential& presented, Address client)
{
    Flight flight{state_->memory, state_->stores, state_->metrics, *this, presented, client};
    Verification answer = co_await flight.run();
    answer.epoch = epoch();
    co_return answer;
}

// Which key is it? A worker that knows asks nobody; else the index is asked, which strangers reach as seldom as the
// buckets of failed attempts allow, or, behind an exhausted address, 200 times a second in all.
awaitable<Verification> Ladder::verify_foreign(std::string_view credential, Address client)
{
    const VerificationStores& stores = state_->stores;
    if (!state_->may_be_foreign(credential))
        co_return answer_of(Ending::malformed);
    PresentedCredential presented;
    presented.text = credential;
    presented.hash = sha256(credential);
    if (const DigestCache::Entry* entry = state_->memory.cache.find_foreign(presented.hash)) {
        presented.id = entry->id;
        presented.foreign = entry->foreign_index;
    } else {
        if (!stores.failures.may_try(client, std::nullopt, monotonic()) && !stores.failures.may_look_up(monotonic()))
            co_return answer_of(Ending::too_many_failures);
        const auto found = co_await stores.foreign.find(stores.keys, credential);
        if (!found)
            co_return answer_of(Ending::unavailable);
        if (!*found) {
            stores.failures.record_failure(client, std::nullopt, monotonic());
            co_return answer_of(Ending::unknown);
        }
        presented.id = (*found)->key;
        presented.foreign = (*found)->index;
    }
    // A salted key's prefix is no secret; all else in the index is of the whole key, so whoever found it has it.
    presented.is_proven = !is_prefix(*presented.foreign);
    const ForeignIndex of = presented.is_proven ? *presented.foreign : ForeignIndex::sha256;
    std::string value = foreign_index_value(of, credential);
    const Secret secret = foreign_secret(of, value);
    wipe(value.data(), value.size());
    presented.secret = secret.reveal();
    co_return co_await take_off(presented, client);
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
