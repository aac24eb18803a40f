// Step 4 of the ladder: buckets of failed attempts per address (IPv6 by /64), and per address and key_id, so that a
// stranger can neither guess without end nor lock a known key_id out for others. One table for all workers, of a
// fixed size; a mutex a shard. Keys that a worker has in its cache never come here.
#pragma once

#include "domain/ids.hpp"
#include "domain/limit_policy.hpp"
#include "domain/network.hpp"
#include "domain/time.hpp"
#include "domain/token_bucket.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace gw {

class FailedAttempts {
public:
    // Both policies are buckets. `max_entries` bounds the memory: 64 bytes an entry, half of them for addresses.
    FailedAttempts(const LimitPolicy& per_ip, const LimitPolicy& per_ip_and_key, std::size_t max_entries = 65'536);
    FailedAttempts(const FailedAttempts&) = delete;
    FailedAttempts& operator=(const FailedAttempts&) = delete;

    // Are there attempts left for this address, and for this key_id from it? Takes nothing: a burst of good first
    // uses is not a burst of failures.
    bool may_try(const Address& client, const std::optional<KeyId>& key, MonoTime now) noexcept;
    void record_failure(const Address& client, const std::optional<KeyId>& key, MonoTime now) noexcept;

    // Beyond an exhausted address: may its key_id be looked up among the shared digests? 200 times a second for the
    // whole process, so that a good key that this worker has never seen gets through a flood from its own address.
    bool may_look_up(MonoTime now) noexcept;

    // Addresses and pairs that are counted at this moment.
    std::size_t entries(MonoTime now) const noexcept;

private:
    struct Name {
        Address address;
        std::optional<KeyId> key;
        friend bool operator==(const Name&, const Name&) = default;
    };
    struct Slot {
        Name name;
        TokenBucket bucket;
        MonoTime used{};
        bool taken = false;
    };
    // A set-associative table: a name lives in one of the `k_ways` slots of its set, and takes the place of one whose
    // bucket is full again, else of the least recently used.
    class Table {
    public:
        Table(const LimitPolicy& policy, std::size_t entries, std::uint64_t seed);
        bool has_token(const Name& name, MonoTime now) noexcept;
        void take(const Name& name, MonoTime now) noexcept;
        std::size_t entries(MonoTime now) const noexcept;

    private:
        static constexpr std::size_t k_ways = 8;
        static constexpr std::size_t k_shards = 16;

        std::size_t set_of(const Name& name) const noexcept;
        Slot* find(std::size_t set, const Name& name) noexcept;
        Slot& slot_for(std::size_t set, const Name& name, MonoTime now) noexcept;

        BucketShape shape_;
        std::uint64_t seed_; // of the process, so that nobody can aim at a set
        std::vector<Slot> slots_;
        std::size_t sets_;
        mutable std::array<std::mutex, k_shards> shards_;
    };

    std::uint64_t seed_;
    Table addresses_, pairs_;
    std::mutex look_ups_mutex_;
    TokenBucket look_ups_;
};

} // namespace gw
