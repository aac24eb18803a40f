// The counters of the in-memory limiter: 64 shards, each a mutex and three hash maps. All shards that a request
// needs are locked together, in ascending order, so that its decision over several counters is one step.
//
// Memory is bounded: full buckets and ended windows are swept, and when the table is full a new counter shares
// one overflow counter of its policy (per shard), which refuses early rather than letting strangers grow the
// table. A policy per address meets a full table at max_counters, all others at twice that: a flood of
// addresses takes no counter from keys, owners, tenants and routes.
#pragma once

#include "domain/quota_lot.hpp"
#include "domain/seeded_hash.hpp"
#include "domain/token_bucket.hpp"
#include "ports/rate_limiter.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace gw::local {

struct QuotaFlight;

struct BucketCounter {
    TokenBucket bucket;
    TokenBucket before;       // as it was before the last charge,
    std::uint64_t ticket = 0; // and which charge that was
};

struct QuotaCounter {
    QuotaLot lot;
    TokenBucket estimate, estimate_before; // spends evenly while the store is out of reach
    std::shared_ptr<QuotaFlight> flight;   // a debit under way
    MonoTime ask_again{};                  // the store is out of reach until then
    std::uint64_t ticket = 0;              // the last charge that was counted
    bool queued = false;                   // waits for a prefetch
};

// Swept when no request holds a slot.
struct SlotCounter {
    std::uint64_t used = 0;
};

class CounterTable {
public:
    static constexpr std::size_t k_shards = 64;

    explicit CounterTable(std::size_t max_counters);

    std::size_t shard_of(const CounterId& id) const noexcept { return hash_(id) >> 58; }

    // Holds the shards whose bits are set.
    class Lock {
    public:
        Lock(CounterTable& table, std::uint64_t shards) noexcept;
        ~Lock();
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;

    private:
        CounterTable& table_;
        std::uint64_t shards_;
    };

    // Call under a Lock, before any counter is looked up: if the table is full, makes room in these shards
    // (each at most ten times a second).
    void make_room(std::uint64_t shards, MonoTime now) noexcept;

    // The charge's counter, made if missing; `id` says under which identity (its own, or the overflow's).
    // Valid while `shard` stays locked.
    struct BucketAt {
        BucketCounter* counter;
        CounterId id;
    };
    struct QuotaAt {
        QuotaCounter* counter;
        CounterId id;
    };
    struct SlotsAt {
        SlotCounter* counter;
        CounterId id;
    };
    BucketAt bucket(std::size_t shard, const Charge& charge);
    QuotaAt quota(std::size_t shard, const Charge& charge);
    SlotsAt slots(std::size_t shard, const Charge& charge);
    // Gives one slot back; `shared`: it was the overflow counter's. Under the shard's lock.
    void release_slot(std::size_t shard, const Charge& charge, bool shared) noexcept;

    // Null if there is none. Valid while `shard` stays locked.
    BucketCounter* find_bucket(std::size_t shard, const CounterId& id) noexcept;
    QuotaCounter* find_quota(std::size_t shard, const CounterId& id) noexcept;

    // Forgets, in some of the shards (in turn), buckets that have been full for a minute, quotas whose window has
    // ended and slots that nobody holds. Locks one shard at a time, for a few microseconds.
    void sweep(MonoTime now, WallTime wall);

    // Calls visit(shard, id, counter) for every quota, one locked shard at a time.
    template <class Visit>
    void for_each_quota(Visit visit)
    {
        for (std::size_t i = 0; i < k_shards; ++i) {
            const std::lock_guard lock{shards_[i].mutex};
            for (auto& [id, counter] : shards_[i].quotas)
                visit(i, id, counter);
        }
    }

    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

private:
    struct alignas(64) Shard {
        std::mutex mutex;
        std::unordered_map<CounterId, BucketCounter, SeededHash> buckets;
        std::unordered_map<CounterId, QuotaCounter, SeededHash> quotas;
        std::unordered_map<CounterId, SlotCounter, SeededHash> slots;
        MonoTime next_make_room{};
    };

    bool is_full_for(const Charge& charge) const noexcept;
    template <class Map>
    auto seat(Map& map, const Charge& charge);
    void sweep_buckets(Shard& shard, MonoTime full_since);
    void sweep_quotas_and_slots(Shard& shard, WallTime wall);

    const std::size_t max_counters_;
    SeededHash hash_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> next_swept_{0};
    std::array<Shard, k_shards> shards_;
};

} // namespace gw::local
