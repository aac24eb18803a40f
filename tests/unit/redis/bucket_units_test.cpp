#include "adapters/redis/bucket_units.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace gw::redis;
using namespace std::chrono_literals;

TEST_CASE("bucket units: exact whole numbers that a double holds, never looser than declared", "[redis]")
{
    struct Row {
        std::uint64_t count;
        Duration period;
        std::uint64_t burst, per_us, token;
    };
    for (const Row& row : {Row{500, 1s, 500, 1, 2000}, Row{7, 1s, 10, 7, 1'000'000}, Row{60, 60s, 20, 1, 1'000'000},
                           Row{1'000'000, 1s, 1'000'000'000, 1, 1}, Row{300'000, 1s, 1000, 3, 10}, Row{5, 10s, 5, 1, 2'000'000}}) {
        LimitPolicy policy;
        policy.rate_count = row.count;
        policy.rate_period = row.period;
        policy.burst = row.burst;
        const BucketUnits units = BucketUnits::of(policy);
        CHECK(units.per_us == row.per_us);
        CHECK(units.token == row.token);
        CHECK(units.burst == row.burst);
    }
}

TEST_CASE("bucket units: a bucket beyond the numbers' range is rounded to stricter", "[redis]")
{
    LimitPolicy policy;
    policy.rate_count = 7;
    policy.rate_period = 30 * 24h;
    policy.burst = 1'000'000'000;
    const BucketUnits units = BucketUnits::of(policy);
    CHECK(units.per_us == 1);
    CHECK(static_cast<double>(units.token) >= 30.0 * 86400 * 1e6 / 7);
    CHECK(2 * units.token * units.burst <= (std::uint64_t{1} << 53));
    CHECK(units.burst >= 1);
}
