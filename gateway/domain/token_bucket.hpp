// Limit arithmetic. A token bucket kept as one number, the theoretical arrival time of the generic cell
// rate algorithm (ITU-T I.371): the bucket is full when it lies in the past, and each token pushes it one
// interval ahead. In any window of length T at most burst + rate x T tokens leave. No clock, no threads:
// the caller locks and passes `now`.
#pragma once

#include "domain/limit_policy.hpp"
#include "domain/time.hpp"

#include <cstdint>

namespace gw {

// A bucket policy in the units of the arithmetic.
struct BucketShape {
    std::int64_t interval_ns = 0; // time one token takes to refill, rounded up: never looser than declared
    std::uint64_t burst = 0;      // as declared; cut only where refilling it would take more than 73 years

    static BucketShape of(const LimitPolicy& policy) noexcept;
};

class TokenBucket {
public:
    struct Level {
        std::uint64_t tokens = 0;      // whole tokens left
        Duration until_next{0};        // until one more token than `tokens` is there
    };

    // Takes `cost` tokens at once, or none. A cost above the burst is never admitted.
    bool try_take(const BucketShape& shape, std::uint64_t cost, MonoTime now) noexcept;
    // Gives back what a later refusal made void, never above full. For the same `now` as the take, under the
    // same lock: tokens that have refilled meanwhile must not be given twice.
    void give_back(const BucketShape& shape, std::uint64_t cost) noexcept;
    Level level(const BucketShape& shape, MonoTime now) const noexcept;
    // How long until `cost` tokens are there; zero if they are now.
    Duration wait_for(const BucketShape& shape, std::uint64_t cost, MonoTime now) const noexcept;
    // Full buckets carry no state and may be forgotten.
    bool is_full(MonoTime now) const noexcept;

private:
    std::int64_t arrival_ns_ = INT64_MIN / 2; // on the monotonic clock
};

// The calendar period (UTC) that holds `now`: [start, end).
struct QuotaWindow {
    WallTime start, end;
};
QuotaWindow quota_window(QuotaPeriod period, WallTime now) noexcept;
// `t` of RateLimit for a bucket with `tokens` left: tokens / rate, rounded up, at least 1.
std::int64_t refill_seconds(const LimitPolicy& policy, std::uint64_t tokens) noexcept;
// `w` of RateLimit-Policy: for a quota its nominal length, 3600, 86400 or the seconds of this month; for a
// bucket ceil(burst / rate), at least 1.
std::int64_t window_seconds(const LimitPolicy& policy, WallTime now) noexcept;

} // namespace gw
