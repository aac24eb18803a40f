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
struct VaultVersion;

// What is presented, whichever way it named its key. The views outlive the flight.
struct PresentedCredential {
    KeyId id;
    std::string_view secret; // that of a key of ours, or what stands for it of an imported one (foreign_secret)
    Sha256 hash{};           // what the cache knows it by: SHA-256 of the secret, of an imported key of `text`
    std::optional<Environment> environment; // that it names; an imported key names none
    std::optional<ForeignIndex> foreign;    // of an imported key: how it was found ...
    std::string_view text;                  // ... the whole of it ...
    bool is_proven = false;                 // ... and whether finding it took the whole of it: then this is no stranger
};

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
    Flight(WorkerMemory& memory, const VerificationStores& stores, WorkerMetrics& metrics, const Ladder& ladder,
           const PresentedCredential& presented, const Address& client);

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
    awaitable<bool> share_digest(const KeyRecord& record, std::uint32_t version);
    awaitable<Answer> settle(const RecordLoad& load, const KnownVersions& versions);
    void remember_text();
    void renew_digest(const KeyRecord& record, std::uint32_t version);
    std::string_view text_of(const VaultVersion& stored) const noexcept;
    awaitable<const Pepper*> find_pepper(const std::string& id);
    bool names_other_environment(const KeyRecord& record) const noexcept;
    Judgement judge_now(const KnownVersions& versions, const KeyRecord& record) const;
    Verification failed(Verification::Outcome outcome);

    WorkerMemory& memory_;
    const VerificationStores& stores_;
    WorkerMetrics& metrics_;
    const Ladder& ladder_; // for its clocks and its hook
    const PresentedCredential presented_;
    const Address client_;

    bool was_cached_ = false;   // this worker knows the key: reading its record again is not a stranger's doing
    bool passed_gate_ = false;
    bool beyond_gate_ = false;  // the address is exhausted: only a shared digest can still speak for it
    bool asked_shared_ = false;
    std::optional<VerifiedDigests> shared_;
    KnownVersions proven_;      // kept when a round was void: what is proven stays proven
};

} // namespace gw
