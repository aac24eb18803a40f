// A bucket in the whole numbers that Lua's doubles hold exactly. A token is worth `token`, and every microsecond
// refills `per_us`: 500/s is 2000 and 1, 7/s is 1000000 and 7.
#pragma once

#include "domain/limit_policy.hpp"

#include <cstdint>

namespace gw::redis {

struct BucketUnits {
    std::uint64_t per_us = 1;
    std::uint64_t token = 1;
    std::uint64_t burst = 0; // as declared; cut only where refilling it would take more than 70 years

    // Exact where the numbers allow it; otherwise a token takes longer than declared, by less than a microsecond.
    static BucketUnits of(const LimitPolicy& policy) noexcept;
};

} // namespace gw::redis
