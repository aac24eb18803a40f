// Charges counters. The common case is answered from memory by an ordinary function; only when a lease or a
// quota batch has run out is a store asked.
#pragma once

#include "domain/errors.hpp"
#include "domain/limit_policy.hpp"
#include "domain/time.hpp"
#include "net/asio.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace gw {

// One counter to charge. `policy` must outlive the call and the reading of the answer.
struct Charge {
    const LimitPolicy* policy = nullptr;
    CounterId counter;
    // Counters of one slot can be charged in one step, wherever they lie: those of one tenant share one. Always the
    // same for the same counter.
    std::uint64_t slot = 0;
};

constexpr std::size_t k_max_charges = 24;

struct LimitAnswer {
    enum class Status : std::uint8_t {
        admitted,    // every enforced counter was charged
        refused,     // at least one said no; nothing stays charged on the others
        ask,         // only try_charge: a store must be asked; nothing was charged
        unreachable, // only charge: a `closed` policy's store is out of reach
    };
    struct State {
        std::uint64_t remaining = 0;     // whole tokens, or slots, left after this request
        std::int64_t reset_seconds = 0;  // `t` of the RateLimit field
        bool violated = false;           // this one said no (also in shadow mode)
        // Of a concurrency policy: the request holds a slot until release(); which one is the limiter's business.
        enum class Slot : std::uint8_t { none, own, shared } slot = Slot::none;
    };

    Status status = Status::admitted;
    std::array<State, k_max_charges> states{}; // one for each charge, in order; filled for admitted and refused
    std::int64_t retry_after_seconds = 0;      // for refused: rounded up, at least 1
    bool shadow_violation = false;             // a policy with enforce: false would have refused
    bool holds_slots = false;                  // some state says so: release() must be called
};

// A limiter that all workers share may be called from any thread; one that belongs to a worker only on its thread.
class RateLimiter {
public:
    virtual ~RateLimiter() = default;

    // All or none of the enforced charges. Memory only, no allocation once the counters exist.
    // At most k_max_charges charges.
    virtual void try_charge(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime wall,
                            LimitAnswer& answer) noexcept = 0;
    // After `ask`: gets what is missing, then charges. Never answers `ask`.
    virtual awaitable<void> charge(std::span<const Charge> charges, std::uint64_t cost, LimitAnswer& answer) = 0;
    // Gives back a charge made for a request that the gateway itself could not serve for want of a limiter
    // answer elsewhere. Never looser than not calling it.
    virtual void refund(std::span<const Charge> charges, std::uint64_t cost) noexcept = 0;
    // The admitted request has ended: gives its slots back. A second call for the same answer does nothing.
    virtual void release(std::span<const Charge> charges, LimitAnswer& answer) noexcept = 0;

    // Its worker calls it some ten times a second. Nothing to do for a limiter that all workers share.
    virtual void tick(MonoTime now) noexcept { static_cast<void>(now); }
    // Gives back what this worker holds, within a second or so. Call it once, when no request is under way.
    virtual awaitable<void> leave() { co_return; }
};

} // namespace gw
