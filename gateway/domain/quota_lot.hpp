// A calendar quota as one process sees it: what the store has debited for it and it has not spent yet (the
// lot), and what is known of the rest. Decides when the store must be asked and for how much. No clock, no
// threads: the caller locks and passes the time.
#pragma once

#include "domain/limit_policy.hpp"
#include "domain/token_bucket.hpp"

#include <cstdint>

namespace gw {

class QuotaLot {
public:
    enum class Verdict : std::uint8_t {
        available, // in the lot
        ask,       // not in the lot, but the store may have it
        refused,   // more than what is left until the window's end; nobody need be asked
    };

    // Moves to the window that holds `now`. What was left of an earlier window is void.
    void enter(QuotaPeriod period, WallTime now) noexcept;
    const QuotaWindow& window() const noexcept { return window_; }
    bool has_ended(WallTime now) const noexcept { return now >= window_.end; }
    // Until the window's end, rounded up, at least 1.
    std::int64_t seconds_left(WallTime now) const noexcept;

    Verdict check(std::uint64_t quota, std::uint64_t cost) const noexcept;
    // Spends from the lot; what exceeds it becomes a debt, paid first when more is debited (only for a store
    // out of reach). After `available` there is no debt.
    void take(std::uint64_t cost) noexcept;
    // Undoes a take of the same window.
    void give_back(std::uint64_t cost) noexcept;
    // The lot and what the store may still have, as far as is known.
    std::uint64_t remaining(std::uint64_t quota) const noexcept;

    // What is debited at once: 1 % of the quota, 1..1000. A crash loses at most the lot, which is never more
    // than one and a half batches (or one request's cost).
    static std::uint64_t batch(std::uint64_t quota) noexcept;
    // True when half a batch is left and the store may have more: time to fetch without anyone waiting.
    bool is_low(std::uint64_t quota) const noexcept;
    // How much to debit, so that `cost` can be taken afterwards.
    std::uint64_t wanted(std::uint64_t quota, std::uint64_t cost) const noexcept;
    // What the store answered to `wanted` tokens of `quota`. Void if the window has changed since.
    void deposit(const QuotaWindow& window, std::uint64_t quota, std::uint64_t wanted, std::uint64_t granted,
                 std::uint64_t used) noexcept;
    // Empties the lot, to return it to the store.
    std::uint64_t withdraw() noexcept;

    // How fast to spend while the store is out of reach: evenly over the window, one batch at once.
    BucketShape outage_shape(std::uint64_t quota, std::uint64_t cost) const noexcept;

private:
    // All that requests have spent in the window, as far as is known.
    std::uint64_t spent() const noexcept { return used_ - lot_ + debt_; }

    QuotaWindow window_{};
    QuotaPeriod period_ = QuotaPeriod::hour;
    std::uint64_t lot_ = 0;  // debited, not spent
    std::uint64_t used_ = 0; // debited in the window by anyone, as last heard; at least lot_
    std::uint64_t debt_ = 0; // spent, not debited; zero while lot_ is not
};

} // namespace gw
