// One verification that memory could not decide: steps 3 to 6 of the ladder for one presented key. Lives in the
// coroutine of Ladder::verify; everything it refers to outlives it.
#pragma once

#include "ports/digest_store.hpp"
#include "verification/digest_cache.hpp"
#include "verification/judgement.hpp"
#include "verification/ladder.hpp"
#include "verification/record_loads.hpp"

#include <optional>

namespace gw {

struct VaultRecord;

// What a worker remembers between verifications.
struct WorkerMemory {
    explicit WorkerMemory(const LadderSettings& given) : settings(given), cache(given.cache_entries) {}

    const LadderSettings settings;
    DigestCache cache;
    RecordLoads loads;
    std::optional<MonoTime> feed_current; // when the change sequence was last read completely

    bool is_feed_fresh(MonoTime now) const noexcept;
    // Step 2 may answer from this entry: nothing changed, not too old, and we would know if it had changed.
    bool is_usable(const DigestCache::Entry& entry, MonoTime now) const noexcept;
};

class Flight {
public:
    // `presented` views the credential.
    Flight(WorkerMemory& memory, const VerificationStores& stores, WorkerMetrics& metrics, const Ladder& ladder,
           const PresentedKey& presented, const Address& client);

    awaitable<Verification> run();

private:
    using Answer = std::optional<Verification>; // empty: no answer yet, go on (or start over)

    Answer from_memory();
    Answer from_aged_memory();
    awaitable<Answer> from_stores();
    awaitable<bool> pass_gate();
    Answer refuse_by_record(const RecordLoad& load);
    awaitable<void> ask_shared_digests(const KeyRecord& record, KnownVersions& versions);
    awaitable<Answer> ask_vault(const KeyRecord& record, KnownVersions& versions);
    awaitable<Answer> hash(const KeyRecord& record, const VaultRecord& secrets, KnownVersions& versions);
    awaitable<void> share_digest(const KeyRecord& record, std::uint32_t version);
    awaitable<Answer> settle(const RecordLoad& load, const KnownVersions& versions);
    Judgement judge_now(const KnownVersions& versions, const KeyRecord& record) const;
    Verification failed(Verification::Outcome outcome);

    WorkerMemory& memory_;
    const VerificationStores& stores_;
    WorkerMetrics& metrics_;
    const Ladder& ladder_; // for its clocks and its hook
    const PresentedKey presented_;
    const Address client_;
    const Sha256 hash_; // of the presented secret

    bool was_cached_ = false;   // this worker knows the key: reading its record again is not a stranger's doing
    bool passed_gate_ = false;
    bool beyond_gate_ = false;  // the address is exhausted: only a shared digest can still speak for it
    bool asked_shared_ = false;
    std::optional<VerifiedDigests> shared_;
    KnownVersions proven_;      // kept when a round was void: what is proven stays proven
};

} // namespace gw
