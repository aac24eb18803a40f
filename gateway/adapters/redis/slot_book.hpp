// One worker's slots of one concurrency limit: how many its requests hold, how many Redis has been told of, and
// what to tell it next. Redis is told absolute numbers in order, so that a call that is lost or repeated does no
// harm; a holder that falls silent loses its slots there after k_slots_last. No clock, no sockets.
#pragma once

#include "adapters/redis/limit_script.hpp"
#include "domain/limit_policy.hpp"
#include "domain/time.hpp"

#include <cstdint>

namespace gw::redis {

class SlotBook {
public:
    enum class Verdict : std::uint8_t { yes, no, ask };

    // `yes`: Redis has granted more than is in use. `no`: it said that all are taken, a moment ago.
    Verdict check(MonoTime now) const noexcept;
    void take() noexcept { ++used_; }
    // A request has ended.
    void release(const LimitPolicy& policy) noexcept;

    // The terms of a call that wants one slot more, then its answer.
    void ask(CounterAsk& out) noexcept;
    void answered(bool admitted, const CounterAsk& asked, const CounterReply& reply, MonoTime now) noexcept;
    void unanswered() noexcept;

    // Redis must hear of fewer or of the same again, or of more that an outage let in.
    bool wants_telling(MonoTime now) const noexcept;
    void tell(CounterAsk& out, MonoTime now) noexcept;
    // Redis has heard, or has not.
    void told(bool heard, const CounterAsk& asked) noexcept;

    std::uint64_t used() const noexcept { return used_; }
    bool is_idle() const noexcept { return used_ == 0 && asked_ == 0 && granted_ == 0; }
    std::uint64_t remaining(const LimitPolicy& policy) const noexcept;
    // While Redis is out of reach.
    bool fits_share(const LimitPolicy& policy, unsigned workers) const noexcept;

private:
    std::uint64_t used_ = 0;     // by requests under way
    std::uint64_t asked_ = 0;    // by calls under way
    std::uint64_t granted_ = 0;  // as Redis knows it
    std::uint64_t sequence_ = 0;
    std::uint64_t told_ = 0, told_sequence_ = 0; // the last that tell() said
    std::uint64_t others_ = 0;   // when last heard
    bool changed_ = false;
    MonoTime told_at_{}, refused_until_{};
};

} // namespace gw::redis
