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
        std::uint64_t remaining = 0;     // whole tokens left after this request
        std::int64_t reset_seconds = 0;  // `t` of the RateLimit field
        bool violated = false;           // this one said no (also in shadow mode)
    };

    Status status = Status::admitted;
    std::array<State, k_max_charges> states{}; // one for each charge, in order; filled for admitted and refused
    std::int64_t retry_after_seconds = 0;      // for refused: rounded up, at least 1
    bool shadow_violation = false;             // a policy with enforce: false would have refused
};

class RateLimiter {
public:
    virtual ~RateLimiter() = default;

    // All or none of the enforced charges. Memory only, no allocation once the counters exist, any thread.
    // At most k_max_charges charges.
    virtual void try_charge(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime wall,
                            LimitAnswer& answer) noexcept = 0;
    // After `ask`: gets what is missing, then charges. Never answers `ask`.
    virtual awaitable<void> charge(std::span<const Charge> charges, std::uint64_t cost, LimitAnswer& answer) = 0;
    // Gives back a charge made for a request that the gateway itself could not serve for want of a limiter
    // answer elsewhere. Never looser than not calling it.
    virtual void refund(std::span<const Charge> charges, std::uint64_t cost) noexcept = 0;
};

} // namespace gw
