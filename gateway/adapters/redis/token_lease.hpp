// What one worker knows of one bucket or quota in Redis: the tokens lent to it, until when a refusal holds, how
// full the counter was when last heard, and how fast the worker spends. Decides what is answered from memory, when
// Redis is asked and for how much. No clock, no sockets: time and answers are given, decisions come out.
//
// A lease of a bucket ends one second after it was asked for, by the asker's clock: a late answer is worth less,
// never more. A lease of a quota ends with its window.
#pragma once

#include "adapters/redis/limit_script.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <string>

namespace gw::redis {

// True for counters of which tokens may be lent: not exact, and neither so small nor so slow that what a worker
// loses or holds back would be felt.
bool is_lendable(const LimitPolicy& policy) noexcept;

class TokenLease {
public:
    enum class Verdict : std::uint8_t { yes, no, ask };

    // `yes`: the tokens are here. `no`: Redis said so, and it still holds. Forgets what has ended.
    Verdict check(std::uint64_t cost, MonoTime now) noexcept;
    // After `yes`.
    void take(std::uint64_t cost) noexcept;
    // Undoes a take made since the lease was last granted; void if it has ended.
    void put_back(std::uint64_t cost, std::uint64_t grant) noexcept;
    // Counts what the worker spends without a lease, so that it knows when one would pay.
    void spent(std::uint64_t cost) noexcept { taken_ += cost; }
    // Names the state that a later put_back() may return to.
    std::uint64_t grant() const noexcept { return grant_; }

    // Little of the lease is left, and asking may bring more: time to ask without anyone waiting.
    bool is_low(MonoTime now) const noexcept;
    // Tokens that would be lost, or withheld from others, if the lease were left alone.
    bool is_ending(const LimitPolicy& policy, MonoTime now) noexcept;
    std::uint64_t tokens() const noexcept { return tokens_; }

    // The terms of the next call: `need` for a request, `waiting` for those that wait as well, and a lease if the
    // pace of the last moments makes it worth while. What the terms return must not be spent any more, and is not.
    void ask(CounterAsk& out, const LimitPolicy& policy, std::uint64_t need, std::uint64_t waiting, MonoTime now);
    // All of it goes back.
    void give_up(CounterAsk& out) noexcept;
    // What Redis answered to ask(), sent at `sent_at`. Without an answer nothing was lent, as far as this side will
    // ever know.
    void answered(const LimitPolicy& policy, const CounterAsk& asked, const CounterReply& reply, MonoTime sent_at,
                  MonoTime now) noexcept;
    // A refund may have made room.
    void forget_refusal() noexcept { refused_until_ = {}; }

    // What the client is told: lent and unspent, and what Redis is thought to have.
    std::uint64_t remaining(const LimitPolicy& policy, MonoTime now) const noexcept;
    // Tokens in Redis when last heard, refilled since; negative in debt. `burst` or the quota if never heard.
    std::int64_t level(const LimitPolicy& policy, MonoTime now) const noexcept;
    // Until the refusal ends, or the quota's window does.
    Duration wait(const LimitPolicy& policy, MonoTime now) const noexcept;
    std::int64_t window() const noexcept { return window_start_; }

private:
    void leave_window(MonoTime now) noexcept;
    void measure_pace(MonoTime now) noexcept;
    std::uint64_t target(const LimitPolicy& policy, std::uint64_t waiting) const noexcept;

    std::uint64_t tokens_ = 0;
    std::uint64_t size_ = 0;       // tokens when last granted
    MonoTime granted_at_{}, ends_{};
    std::string id_;               // of a bucket's lease
    std::uint64_t grant_ = 0;      // counts grants
    std::uint64_t refused_cost_ = 0;
    MonoTime refused_until_{};
    MonoTime quiet_until_{};       // nothing to be had for those who only fetch ahead
    bool heard_ = false;
    std::int64_t level_ = 0;
    MonoTime level_at_{};
    std::int64_t window_start_ = 0; // of a quota, by Redis's clock, in seconds
    MonoTime window_ends_ = MonoTime::max();
    std::uint64_t taken_ = 0;      // since `since_`
    MonoTime since_{};
    double pace_ = 0;              // tokens a second
};

} // namespace gw::redis
