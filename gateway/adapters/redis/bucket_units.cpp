#include "adapters/redis/bucket_units.hpp"

#include <algorithm>
#include <numeric>

namespace gw::redis {

BucketUnits BucketUnits::of(const LimitPolicy& policy) noexcept
{
    // Twice the worth of a full bucket must stay below 2^53.
    constexpr std::uint64_t k_most = std::uint64_t{1} << 51;
    const std::uint64_t count = std::max<std::uint64_t>(1, policy.rate_count);
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(1, policy.rate_period.count()));
    const std::uint64_t period = std::clamp<std::uint64_t>(ns / 1000 + (ns % 1000 != 0 ? 1 : 0), 1, k_most);
    const std::uint64_t common = std::gcd(count, period);
    BucketUnits units{count / common, period / common, policy.burst};
    const auto fits = [&] { return units.burst <= k_most / units.token; };
    if (!fits())
        units = {1, period / count + (period % count != 0 ? 1 : 0), policy.burst};
    units.burst = std::min(units.burst, k_most / units.token);
    return units;
}

} // namespace gw::redis
