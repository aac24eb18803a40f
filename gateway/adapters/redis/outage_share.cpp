#include "adapters/redis/outage_share.hpp"

#include "domain/quota_lot.hpp"

#include <algorithm>

namespace gw::redis {

namespace {

using namespace std::chrono_literals;

constexpr auto k_refills_after = 300ms;
// Of what is owed more than this many bursts is forgiven: Redis lets a bucket fall to minus its burst and no lower.
constexpr std::int64_t k_most_owed = 2;

std::int64_t ns(MonoTime now) noexcept
{
    return Duration{now.time_since_epoch()}.count();
}

BucketShape quota_shape(const LimitPolicy& policy, std::uint64_t left, Duration window_left) noexcept
{
    const std::uint64_t tokens = std::max<std::uint64_t>(1, left);
    const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(1, window_left.count()));
    return {static_cast<std::int64_t>(length / tokens + 1), QuotaLot::batch(policy.quota)};
}

} // namespace

OutageShare::OutageShare(const LimitPolicy& policy, std::int64_t level, unsigned workers, Duration window_left,
                         MonoTime now) noexcept
    : is_quota_(policy.kind == LimitPolicy::Kind::quota), workers_(std::max(1u, workers)), began_(now)
{
    const auto there = static_cast<std::uint64_t>(std::max<std::int64_t>(0, level));
    left_ = there;
    shape_ = is_quota_ ? quota_shape(policy, there, window_left) : BucketShape::of(policy);
    // A share of less than one request has to grow first.
    const BucketShape least = shape_for(1);
    bucket_.try_take(least, least.burst - std::min(there, shape_.burst), now);
    owed_ns_ = ns(now);
}

MonoTime OutageShare::refill_time(MonoTime now) const noexcept
{
    return std::max(began_, now - k_refills_after);
}

// Room for one request, however many share the bucket.
BucketShape OutageShare::shape_for(std::uint64_t cost) const noexcept
{
    BucketShape shape = shape_;
    shape.burst = std::max(shape.burst, cost * workers_);
    return shape;
}

Duration OutageShare::wait_for(std::uint64_t cost, MonoTime now) const noexcept
{
    if (is_quota_ && (taken_ + cost) * workers_ > left_ + (workers_ - 1))
        return Duration::max();
    return bucket_.wait_for(shape_for(cost), cost * workers_, refill_time(now));
}

void OutageShare::take(std::uint64_t cost, MonoTime now) noexcept
{
    const BucketShape shape = shape_for(cost);
    bucket_.try_take(shape, cost * workers_, refill_time(now)); // what does not fit is owed all the same
    taken_ += cost;
    const auto most = k_most_owed * static_cast<std::int64_t>(shape_.burst) * shape_.interval_ns;
    const auto adds = static_cast<std::int64_t>(std::min(cost * workers_, 2 * shape.burst)) * shape_.interval_ns;
    owed_ns_ = std::min(std::max(owed_ns_, ns(now)) + adds, ns(now) + std::max(most, adds));
}

std::uint64_t OutageShare::remaining(MonoTime now) const noexcept
{
    const std::uint64_t tokens = bucket_.level(shape_, refill_time(now)).tokens;
    if (!is_quota_)
        return tokens / workers_;
    return left_ / workers_ - std::min(left_ / workers_, taken_);
}

std::uint64_t OutageShare::backlog(MonoTime now) const noexcept
{
    if (is_quota_)
        return taken_;
    const std::int64_t owed = std::max<std::int64_t>(0, owed_ns_ - ns(now));
    const auto interval = std::max<std::int64_t>(1, shape_.interval_ns * static_cast<std::int64_t>(workers_));
    return std::min<std::uint64_t>(taken_, static_cast<std::uint64_t>((owed + interval - 1) / interval));
}

} // namespace gw::redis
