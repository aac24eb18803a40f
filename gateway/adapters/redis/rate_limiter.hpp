// The fleet's limiter: counters in Redis, exact over all nodes; what one worker may spend of them, and the refusals
// that still hold, in memory. One object per worker, used on that worker's thread only.
//
// A request is answered from memory where leases and refusals allow it; what is missing is asked of Redis in one
// call per hash tag, which charges all of its counters or none. Counters under other tags (addresses of strangers,
// a route's own) are charged first and taken back if a later one refuses, unless somebody has charged them since:
// never looser. A charge is counted when Redis makes it; the request is admitted when the answer arrives.
//
// One call that is not answered in time makes Redis suspect: the requests that waited for it are refused (`local`),
// admitted and charged later (`open`), or told so (`closed`), since what the call charged is not known, and a probe
// goes out. If that fails too, or if there is no connection, Redis is out of reach: every counter is decided here, as
// its policy's `on_outage` says (OutageShare), no request waits, and a probe looks whether it is back. Then what was admitted meanwhile is
// charged before anything else is asked about that counter. One server of a Cluster that is out of reach puts all
// counters into this state.
#pragma once

#include "adapters/redis/client.hpp"
#include "adapters/redis/worker_counter.hpp"
#include "observe/metrics.hpp"
#include "ports/rate_limiter.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gw::redis {

// Shared by the limiters of a process, so that an outage is logged once when it begins and once when it ends.
struct OutageBoard {
    std::atomic<int> workers{0}; // that cannot reach Redis
};

struct RateLimiterOptions {
    std::string key_prefix = "portcullis";
    unsigned workers = 1;                          // of this node
    std::function<unsigned()> live_nodes = [] { return 1u; }; // as last known
    std::size_t max_counters = 1'000'000;          // kept by this worker; a counter takes about half a KiB
    MonoTime (*mono_now)() = [] { return MonoTime::clock::now(); };
};

class RateLimiter final : public gw::RateLimiter {
public:
    // `client` belongs to the same worker. The references must outlive the limiter, and `executor`'s context must
    // be destroyed, or idle, before it.
    RateLimiter(Client& client, Executor executor, WorkerMetrics& metrics, OutageBoard& board,
                RateLimiterOptions options);

    void try_charge(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime wall,
                    LimitAnswer& answer) noexcept override;
    awaitable<void> charge(std::span<const Charge> charges, std::uint64_t cost, LimitAnswer& answer) override;
    // Undoes the last admitted charge: what came from a lease returns to it, the rest is undone in Redis.
    void refund(std::span<const Charge> charges, std::uint64_t cost) noexcept override;
    void release(std::span<const Charge> charges, LimitAnswer& answer) noexcept override;
    // Renews what ends, gives back what is not needed, tells of slots, probes, forgets.
    void tick(MonoTime now) noexcept override;
    awaitable<void> leave() override;

    std::size_t counters() const noexcept { return counters_.size(); }
    bool is_degraded() const noexcept { return degraded_; }

private:
    enum class Verdict : std::uint8_t { yes, no, ask, uncounted, unreachable };
    // One charge of a request.
    struct Seat {
        WorkerCounter* counter = nullptr;
        Verdict verdict = Verdict::yes;
        bool is_paid = false;   // Redis has charged it for this request
        bool was_refused = false; // Redis has refused it for this request
        bool estimated = false; // decided by the share of an outage
        bool is_shared = false; // the overflow's counter
        bool gave_up = false;   // its call was not answered in time
        Duration refused_for{0};
        std::uint64_t charge_number = 0; // names what was paid
        std::uint64_t grant = 0;
    };
    struct Attempt {
        std::span<const Charge> charges;
        std::uint64_t cost;
        LimitAnswer& answer;
        std::array<Seat, k_max_charges> seats{};
    };
    struct Call;

    // rate_limiter.cpp: the decision.
    bool attempt(Attempt& a, MonoTime now) noexcept;
    void look_at(Attempt& a, std::size_t i, MonoTime now);
    static void judge_suspect(const LimitPolicy& policy, Seat& seat) noexcept;
    void judge_outage(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, Seat& seat);
    void take(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, Seat& seat);
    void describe(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, const Seat& seat,
                  LimitAnswer::State& state, LimitAnswer& answer) noexcept;
    void remember_last(const Attempt& a) noexcept;
    WorkerCounter& counter_of(const Charge& charge, Seat& seat);
    unsigned sharers() const;
    void activate(WorkerCounter& counter);
    void look_ahead(WorkerCounter& counter);

    // rate_limiter_calls.cpp: what goes to Redis.
    awaitable<void> ask(Attempt& a);
    awaitable<std::optional<CallReply>> send(Call& call);
    awaitable<void> wait_for(Seat& seat, std::uint64_t cost);
    awaitable<void> renew(WorkerCounter& counter);
    awaitable<void> settle(WorkerCounter& counter);
    awaitable<void> tell(WorkerCounter& counter);
    awaitable<void> give_up(WorkerCounter& counter);
    awaitable<void> undo(WorkerCounter& counter, std::uint64_t charge_number, std::uint64_t cost);
    awaitable<void> probe();
    void take_back(Attempt& a);
    void failed(error_code error, std::string_view key, MonoTime sent_at);
    void answered(MonoTime sent_at);
    void recovered();
    void spawn(awaitable<void> work);
    void prepare(WorkerCounter& counter, const LimitPolicy& policy, const CounterId& id);
    void forget_some(MonoTime now);
    std::string call_id(std::uint64_t number) const;

    Client& client_;
    const Executor executor_;
    WorkerMetrics& metrics_;
    OutageBoard& board_;
    const RateLimiterOptions options_;
    const std::string holder_; // names this object in Redis
    std::uint64_t calls_ = 0;
    WorkerCounters counters_;
    std::vector<WorkerCounter*> active_, low_;
    bool low_posted_ = false;
    std::size_t next_chain_ = 0;
    // Of the last admitted charge, for refund().
    struct Paid {
        CounterId counter;
        std::uint64_t charge_number = 0; // 0: from the lease
        std::uint64_t grant = 0;
    };
    std::array<Paid, k_max_charges> last_;
    std::size_t last_count_ = 0;
    bool degraded_ = false, probing_ = false;
    std::optional<MonoTime> suspect_since_;
    std::string failed_key_;
    MonoTime next_probe_{};
    std::size_t background_ = 0; // calls that no request waits for
};

} // namespace gw::redis
