#include "adapters/redis/token_lease.hpp"

#include "domain/quota_lot.hpp"

#include <algorithm>
#include <cmath>

namespace gw::redis {

namespace {

using namespace std::chrono_literals;
using std::chrono::duration;

constexpr auto k_lease_lasts = 1s;
// A lease is renewed, or what is left of it given back, when it is this old: well before it ends.
constexpr auto k_renew_at = 600ms;
// A quota's tokens that nobody has asked for this long go back.
constexpr auto k_quota_idle = 2s;
constexpr auto k_measure_pace = 100ms;
constexpr double k_seconds_ahead = 0.25; // a lease is for about as long
constexpr std::uint64_t k_least_lease = 2;
constexpr std::uint64_t k_low_part = 4; // a lease of which so small a part is left is renewed ahead of need
// The longest that refusals of an empty bucket are answered without asking again.
constexpr auto k_longest_hold = 100ms;
constexpr auto k_quota_hold = 1s;
// Buckets below these lend nothing: 10 % of the burst would be a handful, or a lost token long to come back.
constexpr std::uint64_t k_least_burst = 50;
constexpr double k_least_rate = 10; // a second

double rate_per_second(const LimitPolicy& policy) noexcept
{
    const double seconds = duration<double>(policy.rate_period).count();
    return seconds > 0 ? static_cast<double>(policy.rate_count) / seconds : 0;
}

Duration tokens_last(const LimitPolicy& policy, double tokens) noexcept
{
    const double rate = std::max(1e-9, rate_per_second(policy));
    return Duration{static_cast<std::int64_t>(std::min(1e18, tokens / rate * 1e9))};
}

// What the whole fleet may hold of a bucket; a worker never asks for more.
std::uint64_t most_lent(const LimitPolicy& policy) noexcept
{
    return policy.kind == LimitPolicy::Kind::bucket ? policy.burst / 10 : QuotaLot::batch(policy.quota);
}

} // namespace

bool is_lendable(const LimitPolicy& policy) noexcept
{
    if (policy.exact || policy.kind == LimitPolicy::Kind::concurrency)
        return false;
    return policy.kind == LimitPolicy::Kind::quota ||
           (policy.burst >= k_least_burst && rate_per_second(policy) >= k_least_rate);
}

TokenLease::Verdict TokenLease::check(std::uint64_t cost, MonoTime now) noexcept
{
    leave_window(now);
    if (now >= ends_)
        tokens_ = size_ = 0;
    if (tokens_ >= cost && ends_ > now)
        return Verdict::yes;
    if (now < refused_until_ && cost >= refused_cost_)
        return Verdict::no;
    return Verdict::ask;
}

void TokenLease::leave_window(MonoTime now) noexcept
{
    if (now < window_ends_)
        return;
    tokens_ = size_ = 0;
    refused_until_ = {};
    heard_ = false;
    window_ends_ = MonoTime::max();
}

void TokenLease::take(std::uint64_t cost) noexcept
{
    tokens_ -= std::min(tokens_, cost);
    taken_ += cost;
}

void TokenLease::put_back(std::uint64_t cost, std::uint64_t grant) noexcept
{
    if (grant == grant_ && size_ > 0)
        tokens_ = std::min(size_, tokens_ + cost);
}

bool TokenLease::is_low(MonoTime now) const noexcept
{
    return size_ > 0 && tokens_ <= size_ / k_low_part && now >= quiet_until_;
}

bool TokenLease::is_ending(const LimitPolicy& policy, MonoTime now) noexcept
{
    if (tokens_ == 0 || now >= ends_)
        return false;
    if (policy.kind == LimitPolicy::Kind::bucket)
        return now - granted_at_ >= k_renew_at;
    if (now - since_ < k_quota_idle)
        return false;
    const bool is_idle = taken_ == 0;
    measure_pace(now);
    return is_idle;
}

void TokenLease::measure_pace(MonoTime now) noexcept
{
    const auto elapsed = now - since_;
    if (since_ != MonoTime{} && elapsed < k_measure_pace)
        return;
    const double seconds = duration<double>(elapsed).count();
    const double measured = since_ == MonoTime{} ? 0 : static_cast<double>(taken_) / seconds;
    pace_ = elapsed >= 1s ? measured : (pace_ + measured) / 2;
    taken_ = 0;
    since_ = now;
}

std::uint64_t TokenLease::target(const LimitPolicy& policy, std::uint64_t waiting) const noexcept
{
    const double ahead = std::max(pace_ * k_seconds_ahead, static_cast<double>(taken_));
    const auto wanted = static_cast<std::uint64_t>(std::min(1e9, std::ceil(ahead))) + waiting;
    return wanted < k_least_lease ? 0 : std::min(wanted, most_lent(policy));
}

void TokenLease::ask(CounterAsk& out, const LimitPolicy& policy, std::uint64_t need, std::uint64_t waiting,
                     MonoTime now)
{
    measure_pace(now);
    out.need = need;
    if (policy.kind == LimitPolicy::Kind::quota)
        out.lease = std::to_string(window_start_);
    else
        out.lease = id_;
    if (!is_lendable(policy))
        return;
    out.more = need > 0 ? waiting : 0;
    const std::uint64_t wanted = target(policy, need > 0 ? 0 : waiting);
    const std::uint64_t keep = std::min(tokens_, wanted);
    out.give = tokens_ - keep;
    out.keep = keep;
    out.want = wanted - keep;
    tokens_ = keep;
}

void TokenLease::give_up(CounterAsk& out) noexcept
{
    out.lease = window_start_ != 0 ? std::to_string(window_start_) : id_;
    out.give = tokens_;
    out.keep = out.want = out.need = 0;
    tokens_ = size_ = 0;
}

void TokenLease::answered(const LimitPolicy& policy, const CounterAsk& asked, const CounterReply& reply,
                          MonoTime sent_at, MonoTime now) noexcept
{
    heard_ = true;
    level_ = reply.level;
    level_at_ = now;
    const bool is_bucket = policy.kind == LimitPolicy::Kind::bucket;
    if (is_bucket) {
        if (reply.lent + asked.keep > 0 && (reply.extra == 1 || reply.lent > 0)) {
            if (reply.extra != 1)
                tokens_ = 0; // Redis has forgotten the old lease
            id_ = asked.id;
            ends_ = sent_at + k_lease_lasts;
        }
    } else {
        if (window_start_ != reply.extra)
            tokens_ = 0;
        window_start_ = reply.extra;
        ends_ = window_ends_ = sent_at + reply.wait;
    }
    if (asked.want > 0 || asked.give > 0 || asked.keep > 0) {
        tokens_ += reply.lent;
        size_ = tokens_;
        granted_at_ = sent_at;
        ++grant_;
    }
    // What is wanted again is not there: neither now for those who ask ahead, nor for a while for those who must.
    if (reply.lent == 0)
        quiet_until_ = now + k_longest_hold / 2;
    const bool is_empty = is_lendable(policy) && reply.level <= 0;
    if (reply.fits && !is_empty) {
        refused_until_ = {};
        return;
    }
    refused_cost_ = reply.fits ? 1 : std::max<std::uint64_t>(1, asked.need);
    Duration holds = reply.wait;
    if (!is_bucket) {
        holds = std::min<Duration>(holds, k_quota_hold); // another may give tokens back
    } else if (is_lendable(policy)) {
        // Until about one lease's worth has come for each of those who hold one: asking for every token would
        // bring no more in all.
        const double holders = std::max(1u, reply.holders);
        const double share = std::max(1.0, static_cast<double>(most_lent(policy)) / (holders + 1));
        holds = std::max(holds, std::min<Duration>(k_longest_hold, tokens_last(policy, share * holders)));
    }
    refused_until_ = now + holds;
    quiet_until_ = std::max(quiet_until_, refused_until_);
}

std::int64_t TokenLease::level(const LimitPolicy& policy, MonoTime now) const noexcept
{
    const bool is_bucket = policy.kind == LimitPolicy::Kind::bucket;
    const auto full = static_cast<std::int64_t>(is_bucket ? policy.burst : policy.quota);
    if (!heard_)
        return full;
    if (!is_bucket)
        return level_;
    const double refilled = duration<double>(now - level_at_).count() * rate_per_second(policy);
    return std::min(full, level_ + static_cast<std::int64_t>(std::clamp(refilled, 0.0, 1e15)));
}

std::uint64_t TokenLease::remaining(const LimitPolicy& policy, MonoTime now) const noexcept
{
    const std::uint64_t full = policy.kind == LimitPolicy::Kind::bucket ? policy.burst : policy.quota;
    const auto there = static_cast<std::uint64_t>(std::max<std::int64_t>(0, level(policy, now)));
    return std::min(full, there + (now < ends_ ? tokens_ : 0));
}

Duration TokenLease::wait(const LimitPolicy& policy, MonoTime now) const noexcept
{
    if (policy.kind == LimitPolicy::Kind::quota && window_ends_ != MonoTime::max())
        return std::max(Duration::zero(), Duration{window_ends_ - now});
    return std::max(Duration::zero(), Duration{refused_until_ - now});
}

} // namespace gw::redis
