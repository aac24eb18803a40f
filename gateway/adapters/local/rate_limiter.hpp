// The limiter of the embedded stores: counters in memory, exact over all workers of this process. Buckets
// restart full, slots free; quotas are debited in a QuotaStore before they are lent here, so that they survive a crash.
//
// One decision over several counters is a single step under the locks of its shards: nothing is taken unless
// all enforced counters admit, so nothing has to be given back and no window ever holds more than
// burst + rate x T. The charges of one request name distinct counters.
//
// While the quota store is out of reach (asked again every half second), per policy: `open` admits without
// counting; `closed` answers unreachable; `local` spends the quota evenly over its window, one batch at once,
// and what it admits is debited first when the store is back. A policy in shadow mode never refuses.
#pragma once

#include "adapters/local/rate_limiter_counters.hpp"
#include "domain/time.hpp"
#include "observe/metrics.hpp"
#include "ports/quota_store.hpp"
#include "ports/rate_limiter.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace gw::local {

struct RateLimiterOptions {
    std::size_t max_counters = 1'000'000; // see CounterTable; a bucket takes about 100 bytes
    // What charge(), refill() and shut_down() read; tests set others.
    MonoTime (*mono_now)() = [] { return MonoTime::clock::now(); };
    WallTime (*wall_now)() = [] { return gw::wall_now(); };
};

class RateLimiter final : public gw::RateLimiter {
public:
    // Both references outlive the limiter. `quota_debits` counts what is asked of the store.
    RateLimiter(QuotaStore& store, SharedCounter& quota_debits, RateLimiterOptions options = {});

    void try_charge(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime wall,
                    LimitAnswer& answer) noexcept override;
    // Runs on the caller's executor, which must be a single thread's. Concurrent calls that miss the same
    // quota share one debit.
    awaitable<void> charge(std::span<const Charge> charges, std::uint64_t cost, LimitAnswer& answer) override;
    // Undoes this thread's last admitted charge, on each counter that nobody has charged since; the others
    // keep it, since tokens that have refilled meanwhile would be granted twice.
    void refund(std::span<const Charge> charges, std::uint64_t cost) noexcept override;
    void release(std::span<const Charge> charges, LimitAnswer& answer) noexcept override;

    // Tops up the quotas that run low, so that no request waits for the store. Call it often (every 50 ms) from
    // one place off the data path; it is cheap when nothing is low. Without it quotas still work, and one
    // request in each batch waits.
    awaitable<void> refill();
    // Forgets counters that hold nothing. Call it every second or so, from any thread.
    void sweep(MonoTime now);
    // Returns what is lent and not spent to the store, for at most `at_most`; what is not returned is lost to
    // the clients. Call it once, when no charge() or refill() is under way.
    awaitable<void> shut_down(std::chrono::milliseconds at_most = std::chrono::seconds{5});

    std::size_t counters() const noexcept { return table_.size(); }

private:
    enum class Verdict : std::uint8_t { yes, no, ask, uncounted, unreachable };
    // One charge, looked at under its shard's lock.
    struct Seat {
        std::size_t shard = 0;
        BucketCounter* bucket = nullptr; // one of the three
        QuotaCounter* quota = nullptr;
        SlotCounter* slots = nullptr;
        CounterId id;
        BucketShape shape; // of the bucket, or of the quota's estimate when it is used
        Verdict verdict = Verdict::yes;
        bool estimated = false;
    };
    // What has to be debited for a request to go on; a `cost` of 0 is a prefetch.
    struct Need {
        std::size_t shard = 0;
        CounterId id;
        QuotaPeriod period = QuotaPeriod::day;
        std::uint64_t quota = 0, cost = 0;
    };
    struct Landing;

    std::optional<Need> attempt(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime wall,
                                LimitAnswer& answer);
    std::uint64_t lock_mask(std::span<const Charge> charges, std::span<Seat> seats) const noexcept;
    void look_at(const Charge& charge, std::uint64_t cost, MonoTime now, WallTime wall, Seat& seat);
    void judge_outage(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, Seat& seat) const noexcept;
    void take(const Charge& charge, std::uint64_t cost, MonoTime now, std::uint64_t ticket, Seat& seat) noexcept;
    static void describe(const Charge& charge, std::uint64_t cost, MonoTime now, WallTime wall, const Seat& seat,
                         LimitAnswer::State& state, LimitAnswer& answer) noexcept;
    static void describe_slot(const Charge& charge, bool admitted, const Seat& seat, LimitAnswer::State& state,
                              LimitAnswer& answer) noexcept;
    void queue_prefetch(const LimitPolicy& policy, Seat& seat) noexcept;
    awaitable<void> fetch(Need need);
    void land(const Landing& landing);
    void warn_of_outage(error_code error);

    QuotaStore& store_;
    SharedCounter& quota_debits_;
    const RateLimiterOptions options_;
    CounterTable table_;
    std::atomic<std::int64_t> next_warning_{INT64_MIN}; // monotonic nanoseconds
    std::mutex low_mutex_;
    std::vector<Need> low_; // to be topped up; never grows beyond its first capacity
};

} // namespace gw::local
