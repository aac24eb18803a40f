// One counter as one worker knows it.
#pragma once

#include "adapters/redis/outage_share.hpp"
#include "adapters/redis/slot_book.hpp"
#include "adapters/redis/token_lease.hpp"
#include "domain/seeded_hash.hpp"
#include "net/asio.hpp"
#include "ports/rate_limiter.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gw::redis {

// The partition that counters share which find the table full.
inline constexpr Identity128 k_overflow{~std::uint64_t{0}, ~std::uint64_t{0}};

// A call under way for a counter of which tokens may be lent: requests that need the same wait for its answer.
struct LimitFlight {
    std::vector<Timer*> waiters;
    std::uint64_t waiting = 0; // tokens they need
    std::uint64_t handed = 0;  // tokens that Redis has charged for them
    bool has_failed = false;

    void land()
    {
        for (Timer* waiter : waiters)
            waiter->cancel();
        waiters.clear();
    }
};

struct WorkerCounter {
    LimitPolicy policy;         // its figures when last asked about, for calls that no request makes
    std::uint64_t slot = 0;
    std::string key;            // in Redis
    TokenLease lease;           // of a bucket or quota
    SlotBook slots;             // of a concurrency limit
    std::optional<OutageShare> outage;
    std::uint64_t backlog = 0;  // admitted during an outage, after Redis had been told of the rest
    std::shared_ptr<LimitFlight> flight;
    std::uint64_t waiting = 0;  // tokens that those need who waited for the last flight and are still to be woken
    MonoTime used_at{};
    unsigned pins = 0;          // calls under way that will touch it
    bool is_active = false;     // in the list that each tick looks at
    bool is_low = false;        // waits to be asked about ahead of time
    bool is_telling = false;    // of slots

    bool may_be_forgotten(MonoTime unused_since) const noexcept
    {
        return pins == 0 && !flight && !is_active && !is_low && used_at < unused_since;
    }
    // Something that must not be lost or that Redis must hear of.
    bool holds_anything() const noexcept
    {
        return outage || backlog > 0 || lease.tokens() > 0 || !slots.is_idle();
    }
};

using WorkerCounters = std::unordered_map<CounterId, WorkerCounter, SeededHash>;

} // namespace gw::redis
