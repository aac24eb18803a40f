#include "domain/quota_lot.hpp"

#include <algorithm>
#include <utility>

namespace gw {

void QuotaLot::enter(QuotaPeriod period, WallTime now) noexcept
{
    if (period == period_ && now >= window_.start && now < window_.end)
        return;
    period_ = period;
    window_ = quota_window(period, now);
    lot_ = used_ = debt_ = 0;
}

std::int64_t QuotaLot::seconds_left(WallTime now) const noexcept
{
    return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(window_.end - now).count());
}

QuotaLot::Verdict QuotaLot::check(std::uint64_t quota, std::uint64_t cost) const noexcept
{
    if (cost > remaining(quota))
        return Verdict::refused;
    return cost <= lot_ ? Verdict::available : Verdict::ask;
}

void QuotaLot::take(std::uint64_t cost) noexcept
{
    const std::uint64_t from_lot = std::min(lot_, cost);
    lot_ -= from_lot;
    debt_ += cost - from_lot;
}

void QuotaLot::give_back(std::uint64_t cost) noexcept
{
    const std::uint64_t of_debt = std::min(debt_, cost);
    debt_ -= of_debt;
    lot_ = std::min(used_, lot_ + (cost - of_debt));
}

std::uint64_t QuotaLot::remaining(std::uint64_t quota) const noexcept
{
    return quota - std::min(quota, spent());
}

std::uint64_t QuotaLot::batch(std::uint64_t quota) noexcept
{
    return std::clamp<std::uint64_t>(quota / 100, 1, 1000);
}

bool QuotaLot::is_low(std::uint64_t quota) const noexcept
{
    return lot_ <= batch(quota) / 2 && used_ < quota;
}

std::uint64_t QuotaLot::wanted(std::uint64_t quota, std::uint64_t cost) const noexcept
{
    const std::uint64_t missing = cost - std::min(cost, lot_);
    return debt_ + std::max(batch(quota), missing);
}

void QuotaLot::deposit(const QuotaWindow& window, std::uint64_t quota, std::uint64_t wanted, std::uint64_t granted,
                       std::uint64_t used) noexcept
{
    if (window.start != window_.start || window.end != window_.end)
        return;
    const std::uint64_t pays = std::min(debt_, granted);
    debt_ -= pays;
    lot_ += granted - pays;
    // Less than was wanted means that all of the quota is debited: remembered, so that the store is not asked
    // for each of the refusals that follow.
    used_ = std::max({used_, used, lot_, granted < wanted ? quota : 0});
}

std::uint64_t QuotaLot::withdraw() noexcept
{
    used_ -= lot_;
    return std::exchange(lot_, 0);
}

BucketShape QuotaLot::outage_shape(std::uint64_t quota, std::uint64_t cost) const noexcept
{
    const auto length = static_cast<std::uint64_t>(Duration{window_.end - window_.start}.count());
    const std::uint64_t tokens = std::max<std::uint64_t>(1, quota);
    return {static_cast<std::int64_t>(length / tokens + (length % tokens != 0 ? 1 : 0)), std::max(batch(quota), cost)};
}

} // namespace gw
