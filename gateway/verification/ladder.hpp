// The verification ladder (DESIGN.md section 5): from the text of a credential to a Principal. One per worker;
// used on that worker's thread only, except where a member says otherwise. The steps, cheapest first:
//   1 shape and checksum   2 this worker's cache   3 shared digests   4 failed-attempt buckets
//   5 record and Vault entry   6 bcrypt on the hash pool
// try_verify does 1 and 2 from memory; verify does the rest. The text of an imported key has no shape of ours: the cache
// knows it by its SHA-256, and the stores, behind step 4, by an index (ForeignKeys); from there on it is like any key.
#pragma once

#include "domain/api_key.hpp"
#include "domain/errors.hpp"
#include "domain/key_record.hpp"
#include "domain/network.hpp"
#include "domain/principal.hpp"
#include "domain/time.hpp"
#include "net/asio.hpp"
#include "observe/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gw {

class KeyStore;
class SecretVault;
class DigestStore;
class HashPool;
class FailedAttempts;
class DigestCache;
class ForeignKeys;
class PepperRing;
class Redigests;

struct PresentedCredential;

struct Verification {
    enum class Outcome : std::uint8_t {
        verified,
        ask,               // only try_verify: memory does not know
        malformed,         // shape or checksum
        unknown,           // no such key, wrong secret, pending, or a management key: one answer for all
        revoked,           // secret or key ended for good; callers see the same as for unknown
        expired,           // the secret was verified
        disabled,          // the secret was verified (also: the tenant is suspended)
        too_many_failures, // step 4
        overloaded,        // step 6's queue is full
        unavailable,       // a store or the vault did not answer
    };
    Outcome outcome = Outcome::unknown;
    std::shared_ptr<const Principal> principal; // set for verified, expired and disabled
    std::uint32_t version = 0;
    std::uint64_t epoch = 0; // of verify: the ladder's when it answered
};

struct LadderSettings {
    std::string brand = "pc";
    bool management = false; // verifies management keys and nothing else; false: everything but them
    std::chrono::nanoseconds cache_ttl{std::chrono::minutes{5}};
    std::size_t cache_entries = 1'000'000; // of this worker
    std::chrono::nanoseconds stale_while_unavailable{std::chrono::minutes{10}};
};

// What all workers' ladders share; outlives them.
struct VerificationStores {
    KeyStore& keys;
    SecretVault& vault;
    DigestStore& digests;
    HashPool& hashes;
    FailedAttempts& failures;
    PepperRing& peppers;
    ForeignKeys& foreign;
    Redigests& redigests;
};

class Ladder {
public:
    Ladder(LadderSettings settings, VerificationStores stores, WorkerMetrics& metrics);
    ~Ladder();
    Ladder(const Ladder&) = delete;
    Ladder& operator=(const Ladder&) = delete;

    // Steps 1 and 2. No allocation, no I/O.
    Verification try_verify(std::string_view credential, MonoTime now, WallTime wall) noexcept;
    // All steps, after try_verify said `ask`. `credential` must outlive the await.
    awaitable<Verification> verify(std::string_view credential, Address client);

    // From the change feed, on this worker's thread: whatever was cached of the subject before this record
    // version is void, and no verification in flight can put it back. `wall` is when the change committed.
    void apply(const Change& change);
    // From the change feed, on this worker's thread: the sequence was read completely at `when` (MonoTime::min():
    // not yet). Until the first call nothing is answered from the cache.
    void feed_was_current(MonoTime when) noexcept;

    // Counts the changes applied. An answer of verify is good while this is what it was.
    std::uint64_t epoch() const noexcept;
    std::size_t cached_entries() const noexcept;

    // Tests only wait here: awaited between reading the record and answering, so that a revocation can be
    // placed in the middle. Empty in production.
    std::function<awaitable<void>()> before_answer;
    // Tests set the clocks that verify and apply read.
    std::function<MonoTime()> monotonic = std::chrono::steady_clock::now;
    std::function<WallTime()> wall_clock = wall_now;

private:
    Verification try_foreign(std::string_view credential, MonoTime now, WallTime wall) noexcept;
    awaitable<Verification> verify_foreign(std::string_view credential, Address client);
    awaitable<Verification> take_off(const PresentedCredential& presented, Address client);

    struct State;
    std::unique_ptr<State> state_;
};

} // namespace gw
