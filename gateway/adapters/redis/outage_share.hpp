// One worker's part of a counter while Redis is out of reach: a bucket that starts with the last known level and
// refills at the declared rate, both divided by the workers that are thought to live. For the first moments it
// refills nothing, so that a hiccup, after which all goes on in Redis, makes no limit looser. It also knows what it
// admitted and has not refilled since: Redis is told when it is back.
//
// A quota is spent evenly over what is left of its window, at most what was left of it, divided likewise.
// No clock, no sockets.
#pragma once

#include "domain/limit_policy.hpp"
#include "domain/time.hpp"
#include "domain/token_bucket.hpp"

#include <cstdint>

namespace gw::redis {

class OutageShare {
public:
    // `level`: tokens that Redis had when last heard. `window_left`: of a quota, until its window ends.
    OutageShare(const LimitPolicy& policy, std::int64_t level, unsigned workers, Duration window_left, MonoTime now) noexcept;

    // How long until `cost` is there; zero if it is.
    Duration wait_for(std::uint64_t cost, MonoTime now) const noexcept;
    // What was admitted, whether it fitted or not (`open`, and policies in shadow mode).
    void take(std::uint64_t cost, MonoTime now) noexcept;
    std::uint64_t remaining(MonoTime now) const noexcept;
    // Tokens to charge in Redis: of a quota all that were admitted, of a bucket those that its rate has not yet
    // brought back.
    std::uint64_t backlog(MonoTime now) const noexcept;
    // All that was admitted so far.
    std::uint64_t taken() const noexcept { return taken_; }

private:
    MonoTime refill_time(MonoTime now) const noexcept;
    BucketShape shape_for(std::uint64_t cost) const noexcept;

    bool is_quota_;
    unsigned workers_;
    MonoTime began_;
    BucketShape shape_;        // of the whole counter: a token taken here costs as many as there are workers
    TokenBucket bucket_;
    std::uint64_t left_ = 0;   // of a quota, for all workers
    std::uint64_t taken_ = 0;
    std::int64_t owed_ns_ = 0; // on the monotonic clock: when the rate will have brought back what was taken
};

} // namespace gw::redis
