// Adding up usage.
#include "domain/usage.hpp"

#include <catch2/catch.hpp>

using namespace gw;

TEST_CASE("UsageCounts: adding sums every field", "[domain]")
{
    UsageCounts a;
    a.requests = 1, a.status_4xx = 2, a.status_5xx = 3, a.status_401 = 4, a.status_403 = 5, a.status_429 = 6;
    a.bytes_in = 7, a.bytes_out = 8, a.latency_us_sum = 9;
    for (std::uint32_t i = 0; i < UsageCounts::k_latency_buckets; ++i)
        a.latency[i] = 10 + i;

    UsageCounts sum = a;
    sum.add(a);

    CHECK(sum.requests == 2);
    CHECK(sum.status_4xx == 4);
    CHECK(sum.status_5xx == 6);
    CHECK(sum.status_401 == 8);
    CHECK(sum.status_403 == 10);
    CHECK(sum.status_429 == 12);
    CHECK(sum.bytes_in == 14);
    CHECK(sum.bytes_out == 16);
    CHECK(sum.latency_us_sum == 18);
    for (std::uint32_t i = 0; i < UsageCounts::k_latency_buckets; ++i)
        CHECK(sum.latency[i] == 2 * (10 + i));

    UsageCounts unchanged = a;
    unchanged.add(UsageCounts{});
    CHECK(unchanged == a);
    CHECK(UsageCounts{}.is_zero());
    CHECK_FALSE(a.is_zero());
}
