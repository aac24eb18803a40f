// Bucket arithmetic in whole nanoseconds, and the calendar of quotas. All rounding is towards stricter.
#include "domain/token_bucket.hpp"

#include <algorithm>

namespace gw {
namespace {

__extension__ using Wide = __int128; // products of two 64-bit numbers

// No bucket takes longer than this to refill (73 years), so that sums of monotonic times never overflow.
constexpr std::int64_t k_longest_refill_ns = std::int64_t{1} << 61;
constexpr std::int64_t k_long_ago_ns = INT64_MIN / 2;

std::int64_t ns(MonoTime now) noexcept
{
    return std::chrono::duration_cast<Duration>(now.time_since_epoch()).count();
}

// `tokens` must not exceed the shape's burst.
std::int64_t refill_ns(const BucketShape& shape, std::uint64_t tokens) noexcept
{
    return static_cast<std::int64_t>(tokens) * shape.interval_ns;
}

// How far ahead of now the bucket is charged; 0 when full.
std::int64_t debt_ns(std::int64_t arrival_ns, MonoTime now) noexcept
{
    return std::max<std::int64_t>(0, arrival_ns - ns(now));
}

template <class Int>
Int divide_up(Int numerator, Int denominator) noexcept
{
    return (numerator + denominator - 1) / denominator;
}

} // namespace

BucketShape BucketShape::of(const LimitPolicy& policy) noexcept
{
    const auto burst = static_cast<std::int64_t>(
        std::min<std::uint64_t>(policy.burst, static_cast<std::uint64_t>(k_longest_refill_ns)));
    if (policy.rate_count == 0 ||
        policy.rate_period.count() <= 0) // refused by the settings: hardly ever refills
        return {k_longest_refill_ns / std::max<std::int64_t>(1, burst), static_cast<std::uint64_t>(burst)};
    const Wide interval = divide_up<Wide>(policy.rate_period.count(), policy.rate_count);
    const auto interval_ns = static_cast<std::int64_t>(std::clamp<Wide>(interval, 1, k_longest_refill_ns));
    return {interval_ns, static_cast<std::uint64_t>(std::min(burst, k_longest_refill_ns / interval_ns))};
}

bool TokenBucket::try_take(const BucketShape& shape, std::uint64_t cost, MonoTime now) noexcept
{
    if (cost > shape.burst)
        return false;
    const std::int64_t debt = debt_ns(arrival_ns_, now) + refill_ns(shape, cost);
    if (cost != 0 && debt > refill_ns(shape, shape.burst))
        return false;
    if (cost != 0)
        arrival_ns_ = ns(now) + debt;
    return true;
}

void TokenBucket::give_back(const BucketShape& shape, std::uint64_t cost) noexcept
{
    arrival_ns_ = std::max(k_long_ago_ns, arrival_ns_ - refill_ns(shape, std::min(cost, shape.burst)));
}

TokenBucket::Level TokenBucket::level(const BucketShape& shape, MonoTime now) const noexcept
{
    // A reload may have made the bucket smaller than its debt.
    const std::int64_t free_ns =
        std::max<std::int64_t>(0, refill_ns(shape, shape.burst) - debt_ns(arrival_ns_, now));
    Level level;
    level.tokens = shape.interval_ns > 0 ? static_cast<std::uint64_t>(free_ns / shape.interval_ns) : 0;
    if (level.tokens < shape.burst)
        level.until_next = wait_for(shape, level.tokens + 1, now);
    return level;
}

Duration TokenBucket::wait_for(const BucketShape& shape, std::uint64_t cost, MonoTime now) const noexcept
{
    if (cost > shape.burst)
        return Duration::max();
    if (cost == 0)
        return Duration::zero();
    return Duration{
        std::max<std::int64_t>(0, debt_ns(arrival_ns_, now) - refill_ns(shape, shape.burst - cost))};
}

bool TokenBucket::is_full(MonoTime now) const noexcept
{
    return arrival_ns_ <= ns(now);
}

QuotaWindow quota_window(QuotaPeriod period, WallTime now) noexcept
{
    using namespace std::chrono;
    switch (period) {
    case QuotaPeriod::hour: {
        const auto start = floor<hours>(now);
        return {start, start + hours{1}};
    }
    case QuotaPeriod::day: {
        const auto start = floor<days>(now);
        return {start, start + days{1}};
    }
    case QuotaPeriod::month:
        break;
    }
    const year_month_day today{floor<days>(now)};
    const year_month_day first = today.year() / today.month() / 1;
    return {sys_days{first}, sys_days{first + months{1}}};
}

std::int64_t refill_seconds(const LimitPolicy& policy, std::uint64_t tokens) noexcept
{
    const auto period = static_cast<std::uint64_t>(policy.rate_period.count());
    const std::uint64_t rate = std::max<std::uint64_t>(1, policy.rate_count);
    constexpr std::uint64_t k_ns = 1'000'000'000;
    if (tokens < (1u << 20) && period < (1ull << 43) && rate < (1ull << 33)) { // nearly always: 64 bits do
        const std::uint64_t per_second = rate * k_ns;
        return std::max<std::int64_t>(1, static_cast<std::int64_t>((tokens * period + per_second - 1) / per_second));
    }
    __extension__ using Unsigned = unsigned __int128;
    const Unsigned per_second = static_cast<Unsigned>(rate) * k_ns;
    const Unsigned seconds = (static_cast<Unsigned>(tokens) * period + per_second - 1) / per_second;
    return static_cast<std::int64_t>(std::clamp<Unsigned>(seconds, 1, INT64_MAX));
}

std::int64_t window_seconds(const LimitPolicy& policy, WallTime now) noexcept
{
    if (policy.kind == LimitPolicy::Kind::quota) {
        const QuotaWindow window = quota_window(policy.quota_period, now);
        return std::chrono::floor<std::chrono::seconds>(window.end - window.start).count();
    }
    constexpr Wide ns_per_second = 1'000'000'000;
    const Wide rate = std::max<Wide>(1, static_cast<Wide>(policy.rate_count) * ns_per_second);
    const Wide seconds = divide_up<Wide>(static_cast<Wide>(policy.burst) * policy.rate_period.count(), rate);
    return static_cast<std::int64_t>(std::clamp<Wide>(seconds, 1, INT64_MAX));
}

} // namespace gw
