// The order is DESIGN.md section 5's, with one turn. A shared digest covers the tenant, which is in the record; so a
// stranger could make us read records if step 3 stood before step 4. Therefore the gate comes first, and two kinds of
// callers get around it: keys that this worker has in its cache (their record is read once a TTL), and, when the
// address is exhausted, key_ids that have a shared digest, 200 a second, which must then match.
#include "verification/flight.hpp"

#include "keys/pepper_ring.hpp"
#include "keys/vault_record.hpp"
#include "observe/log.hpp"
#include "ports/key_store.hpp"
#include "ports/secret_vault.hpp"
#include "verification/failed_attempts.hpp"
#include "verification/hash_pool.hpp"
#include "verification/redigests.hpp"

#include <algorithm>

namespace gw {

using Ending = Verification::Outcome;
using Kind = Judgement::Kind;
using Proof = KnownVersion::Proof;

namespace {

// Each further round means that the record changed during the last one.
constexpr int k_rounds = 4;
// How long an aged entry is used before its record is asked for again, while the store does not answer.
constexpr std::chrono::nanoseconds k_retry_refresh = std::chrono::seconds{1};
// The poll's own rhythm must not count as an outage.
constexpr std::chrono::nanoseconds k_feed_margin = std::chrono::seconds{1};

bool is_decided(Kind kind)
{
    return kind == Kind::matched || kind == Kind::ended || kind == Kind::mismatch;
}

} // namespace

bool WorkerMemory::is_feed_fresh(MonoTime now) const noexcept
{
    return feed_current && now - *feed_current <= settings.stale_while_unavailable + k_feed_margin;
}

bool WorkerMemory::is_usable(const DigestCache::Entry& entry, MonoTime now) const noexcept
{
    return !entry.is_void() && now - entry.loaded <= settings.cache_ttl && is_feed_fresh(now);
}

Flight::Flight(WorkerMemory& memory, const VerificationStores& stores, WorkerMetrics& metrics, const Ladder& ladder,
               const PresentedCredential& presented, const Address& client)
    : memory_(memory), stores_(stores), metrics_(metrics), ladder_(ladder), presented_(presented), client_(client),
      passed_gate_(presented.is_proven)
{
}

awaitable<Verification> Flight::run()
{
    for (int round = 0; round < k_rounds; ++round) {
        if (auto known = from_memory())
            co_return std::move(*known);
        Answer answer = co_await from_stores();
        if (answer)
            co_return std::move(*answer);
    }
    co_return answer_of(Ending::unavailable);
}

Flight::Answer Flight::from_memory()
{
    const DigestCache::Entry* entry = memory_.cache.find(presented_.id);
    if (!entry)
        return std::nullopt;
    was_cached_ = true;
    if (entry->is_revoked()) {
        if (presented_.is_proven)
            remember_text();
        return answer_of(Ending::revoked);
    }
    if (!memory_.is_usable(*entry, ladder_.monotonic()))
        return std::nullopt;
    const KeyRecord& record = entry->principal->key;
    if (names_other_environment(record))
        return answer_of(Ending::unknown);
    const Judgement judgement = judge_now(entry->versions, record);
    if (judgement.kind == Kind::matched) {
        remember_text();
        return answer_of(entry->principal, judgement.version, ladder_.wall_clock());
    }
    if (judgement.kind == Kind::ended)
        return answer_of(Ending::revoked);
    if (judgement.kind == Kind::mismatch)
        return answer_of(Ending::unknown); // final, and it cost no more than an HMAC
    return std::nullopt;
}

// The record cannot be read. What we know counts as long as we would have heard of a change.
Flight::Answer Flight::from_aged_memory()
{
    const MonoTime now = ladder_.monotonic();
    DigestCache::Entry* entry = memory_.cache.find(presented_.id);
    if (!entry || entry->is_revoked() || entry->is_void() || !memory_.is_feed_fresh(now))
        return std::nullopt;
    const auto& ttl = memory_.settings.cache_ttl;
    entry->loaded = std::max(entry->loaded, now - ttl + std::min(ttl, k_retry_refresh));
    return from_memory();
}

awaitable<Flight::Answer> Flight::from_stores()
{
    const bool may_read = co_await pass_gate();
    if (!may_read)
        co_return answer_of(Ending::too_many_failures);

    DigestCache::Reading reading;
    reading.epoch = memory_.cache.epoch();
    reading.at = ladder_.monotonic();
    const auto load = co_await memory_.loads.load(stores_.keys, presented_.id, reading);
    if (load->fault) {
        if (auto aged = from_aged_memory())
            co_return std::move(*aged);
        co_return answer_of(Ending::unavailable);
    }
    if (!load->principal || load->principal->key.status == KeyStatus::revoked)
        co_return refuse_by_record(*load);
    const KeyRecord& record = load->principal->key;
    if (record.status == KeyStatus::pending || record.management != memory_.settings.management || names_other_environment(record))
        co_return failed(Ending::unknown);

    KnownVersions versions = KnownVersions::of(record, ladder_.wall_clock());
    versions.learn(proven_);
    if (const auto* entry = memory_.cache.find(presented_.id))
        versions.learn(entry->versions);
    if (!is_decided(judge_now(versions, record).kind))
        co_await ask_shared_digests(record, versions);
    if (!is_decided(judge_now(versions, record).kind)) {
        Answer no = co_await ask_vault(record, versions);
        if (no)
            co_return std::move(*no);
    }
    Answer answer = co_await settle(*load, versions);
    co_return answer;
}

awaitable<bool> Flight::pass_gate()
{
    if (was_cached_ || passed_gate_ || beyond_gate_)
        co_return true;
    const MonoTime now = ladder_.monotonic();
    passed_gate_ = stores_.failures.may_try(client_, presented_.id, now);
    if (passed_gate_)
        co_return true;
    if (!stores_.failures.may_look_up(now))
        co_return false;
    auto found = co_await stores_.digests.find(presented_.id);
    asked_shared_ = true;
    if (found)
        shared_ = std::move(*found);
    beyond_gate_ = shared_.has_value();
    co_return beyond_gate_;
}

// There is no such key, or it has ended.
Flight::Answer Flight::refuse_by_record(const RecordLoad& load)
{
    if (!load.principal) {
        memory_.cache.forget(presented_.id);
        return failed(Ending::unknown);
    }
    if (!memory_.cache.offer_revoked(load.principal->key, load.reading, ladder_.monotonic()))
        return std::nullopt;
    if (presented_.is_proven)
        remember_text();
    return failed(Ending::revoked);
}

awaitable<void> Flight::ask_shared_digests(const KeyRecord& record, KnownVersions& versions)
{
    if (!asked_shared_) {
        auto found = co_await stores_.digests.find(presented_.id);
        asked_shared_ = true;
        if (found) // if not, the Vault decides
            shared_ = std::move(*found);
    }
    const Pepper* pepper = nullptr;
    if (shared_)
        pepper = co_await find_pepper(shared_->pepper_id);
    if (!pepper)
        co_return;
    for (auto& version : versions)
        for (const auto& stored : shared_->versions) {
            if (stored.number != version.number || version.proof == Proof::secret)
                continue;
            const Sha256 digest =
                api_key_digest(pepper->value.reveal(), record.tenant, record.id, version.number, presented_.secret);
            const bool matches = equal_constant_time(stored.digest, digest);
            if (!matches && version.proof == Proof::digest)
                continue; // the Vault's own is there
            version.proof = matches ? Proof::secret : Proof::digest;
            version.pepper = pepper;
            version.value = matches ? presented_.hash : stored.digest;
            if (matches)
                metrics_.digest_store_hits.add();
        }
}

awaitable<Flight::Answer> Flight::ask_vault(const KeyRecord& record, KnownVersions& versions)
{
    // Whoever has the digest's secret is no stranger; for all others the gate was passed or is asked now.
    const bool is_candidate = judge_now(versions, record).kind == Kind::candidate;
    if (!is_candidate && !passed_gate_)
        passed_gate_ = !beyond_gate_ && stores_.failures.may_try(client_, presented_.id, ladder_.monotonic());
    if (!is_candidate && !passed_gate_)
        co_return answer_of(Ending::too_many_failures);

    const std::string path = vault_path(record.tenant, record.id);
    const auto entry = co_await stores_.vault.read(path);
    if (!entry)
        co_return answer_of(Ending::unavailable);
    if (!*entry) // destroyed: the database may be an old copy that does not know
        co_return failed(Ending::unknown);
    const auto secrets = VaultRecord::from_json((*entry)->data);
    if (!secrets) {
        log(LogLevel::error, "verification.vault_entry_corrupt", {{"key_id", presented_.id.view()}});
        co_return answer_of(Ending::unavailable);
    }
    for (auto& version : versions) {
        const VaultVersion* stored = secrets->find(version.number);
        const Pepper* pepper = nullptr;
        if (stored)
            pepper = co_await find_pepper(stored->pepper_id);
        if (version.proof == Proof::secret || (stored && !pepper))
            continue; // known already, or under a pepper that is gone: bcrypt alone can tell
        version.proof = Proof::digest;
        version.pepper = pepper;
        version.value = stored ? stored->digest : Sha256{};
    }
    Answer answer = co_await hash(record, *secrets, versions);
    co_return answer;
}

// Runs bcrypt for the version whose digest matches, or for those of which no digest can be computed.
awaitable<Flight::Answer> Flight::hash(const KeyRecord& record, const VaultRecord& secrets, KnownVersions& versions)
{
    if (const auto* entry = memory_.cache.find(presented_.id))
        versions.learn(entry->versions); // another flight may have ended meanwhile
    const Judgement judgement = judge_now(versions, record);
    if (is_decided(judgement.kind))
        co_return std::nullopt;
    for (auto& version : versions) {
        const VaultVersion* stored = secrets.find(version.number);
        const bool is_wanted =
            judgement.kind == Kind::candidate ? version.number == judgement.version : version.proof == Proof::none;
        if (!stored || !is_wanted)
            continue;
        const auto verdict =
            co_await stores_.hashes.verify(presented_.id, version.number, text_of(*stored), stored->hash);
        if (verdict == HashPool::Verdict::overloaded)
            co_return answer_of(Ending::overloaded);
        if (verdict == HashPool::Verdict::matches) {
            version.proof = Proof::secret;
            version.value = presented_.hash;
            const bool is_shared = co_await share_digest(record, version.number);
            // What the Vault has may be under an older pepper: then renew_digest sees to both.
            const bool is_renewed = is_shared && stored->pepper_id == stores_.peppers.current(ladder_.wall_clock()).id;
            version.pepper = is_renewed ? &stores_.peppers.current(ladder_.wall_clock()) : nullptr;
            co_return std::nullopt;
        }
        if (judgement.kind == Kind::candidate) {
            log(LogLevel::error, "verification.hash_contradicts_digest", {{"key_id", presented_.id.view()}});
            version.pepper = nullptr; // bcrypt is the authority: nothing can match this version
        }
    }
    co_return std::nullopt;
}

awaitable<bool> Flight::share_digest(const KeyRecord& record, std::uint32_t version)
{
    const Pepper& pepper = stores_.peppers.current(ladder_.wall_clock());
    VerifiedDigests digests;
    digests.record_version = record.record_version;
    digests.pepper_id = pepper.id;
    if (shared_ && shared_->pepper_id == pepper.id)
        for (const auto& other : shared_->versions)
            if (const KeyVersion* known = record.find_version(other.number);
                known && other.number != version && known->is_live(ladder_.wall_clock()))
                digests.versions.push_back(other);
    VerifiedDigests::Version own;
    own.number = version;
    own.digest = api_key_digest(pepper.value.reveal(), record.tenant, record.id, version, presented_.secret);
    digests.versions.push_back(own);
    const auto put = co_await stores_.digests.put(presented_.id, digests);
    if (!put) // costs the next node a run of bcrypt, no more
        log(LogLevel::debug, "verification.digest_not_shared", {{"reason", put.error().message()}});
    co_return put.has_value();
}

awaitable<Flight::Answer> Flight::settle(const RecordLoad& load, const KnownVersions& versions)
{
    if (ladder_.before_answer)
        co_await ladder_.before_answer();
    // From here to the answer nothing is awaited: what the cache accepts is what is answered.
    if (!memory_.cache.offer(load.principal, versions, load.reading, ladder_.monotonic())) {
        proven_ = versions;
        co_return std::nullopt;
    }
    const Judgement judgement = judge_now(versions, load.principal->key);
    if (judgement.kind == Kind::matched) {
        remember_text();
        renew_digest(load.principal->key, judgement.version);
        co_return answer_of(load.principal, judgement.version, ladder_.wall_clock());
    }
    co_return failed(judgement.kind == Kind::ended ? Ending::revoked : Ending::unknown);
}

// From now on try_verify finds this imported key by its text.
void Flight::remember_text()
{
    if (presented_.foreign)
        memory_.cache.remember_foreign(presented_.id, *presented_.foreign, presented_.hash);
}

// The pepper was rotated since the key's digests were written: the secret is here, so they can be made anew.
void Flight::renew_digest(const KeyRecord& record, std::uint32_t version)
{
    const WallTime now = ladder_.wall_clock();
    const Pepper& pepper = stores_.peppers.current(now);
    DigestCache::Entry* entry = memory_.cache.find(presented_.id);
    for (auto& known : entry->versions) {
        if (known.number != version || known.pepper == &pepper)
            continue;
        Redigest item;
        item.tenant = record.tenant;
        item.key = record.id;
        item.record_version = record.record_version;
        item.version = version;
        for (const auto& other : record.versions)
            if (other.is_live(now))
                item.live_versions.push_back(other.number);
        item.digest = api_key_digest(pepper.value.reveal(), record.tenant, record.id, version, presented_.secret);
        item.pepper_id = pepper.id;
        if (stores_.redigests.push(std::move(item)))
            known.pepper = &pepper;
    }
}

// What the Vault's hash of this version is of.
std::string_view Flight::text_of(const VaultVersion& stored) const noexcept
{
    switch (stored.of) {
    case HashedText::secret: break;
    case HashedText::whole_key: return presented_.text;
    case HashedText::after_dot: return after_prefix(ForeignIndex::dot_prefix, presented_.text);
    case HashedText::after_underscore: return after_prefix(ForeignIndex::underscore_prefix, presented_.text);
    }
    return presented_.secret;
}

// A pepper that we do not know may have come with a rotation that we have not heard of.
awaitable<const Pepper*> Flight::find_pepper(const std::string& id)
{
    const Pepper* pepper = stores_.peppers.find(id);
    if (pepper || id == k_no_pepper)
        co_return pepper;
    co_await stores_.peppers.look_again(stores_.vault);
    co_return stores_.peppers.find(id);
}

bool Flight::names_other_environment(const KeyRecord& record) const noexcept
{
    return presented_.environment && *presented_.environment != record.environment;
}

Judgement Flight::judge_now(const KnownVersions& versions, const KeyRecord& record) const
{
    return judge(versions, presented_.hash, presented_.secret, record, ladder_.wall_clock());
}

Verification Flight::failed(Ending outcome)
{
    stores_.failures.record_failure(client_, presented_.id, ladder_.monotonic());
    return answer_of(outcome);
}

} // namespace gw
