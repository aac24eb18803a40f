#include "adapters/redis/outage_share.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace gw::redis;
using namespace std::chrono_literals;

namespace {

const MonoTime k_start = MonoTime{} + 1000h;

LimitPolicy bucket(std::uint64_t rate, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.rate_count = rate;
    policy.rate_period = 1s;
    policy.burst = burst;
    return policy;
}

int admitted(OutageShare& share, MonoTime now, int asks = 10'000)
{
    int count = 0;
    for (; count < asks && share.wait_for(1, now) == Duration::zero(); ++count)
        share.take(1, now);
    return count;
}

} // namespace

TEST_CASE("outage share: begins with the last known level and refills at the rate, divided by the workers", "[redis]")
{
    OutageShare share{bucket(400, 500), 200, 4, 0s, k_start};
    CHECK(admitted(share, k_start) == 50);
    CHECK(admitted(share, k_start + 200ms) == 0); // a hiccup refills nothing
    CHECK(admitted(share, k_start + 1300ms) == 100);
    CHECK(admitted(share, k_start + 1h) == 125);
}

TEST_CASE("outage share: in debt or empty it begins with nothing", "[redis]")
{
    OutageShare share{bucket(400, 500), -30, 4, 0s, k_start};
    CHECK(admitted(share, k_start) == 0);
    CHECK(admitted(share, k_start + 310ms) == 1);
}

TEST_CASE("outage share: a part smaller than one request has to grow first", "[redis]")
{
    OutageShare share{bucket(1, 3), 3, 4, 0s, k_start};
    CHECK(share.wait_for(1, k_start) > Duration::zero());
    CHECK(admitted(share, k_start + 1300ms) == 1);
    CHECK(admitted(share, k_start + 1h) == 1);
}

TEST_CASE("outage share: no four workers admit more than burst and rate allow", "[redis]")
{
    const LimitPolicy policy = bucket(40, 50);
    std::vector<OutageShare> shares;
    for (int i = 0; i < 4; ++i)
        shares.emplace_back(policy, 50, 4, 0s, k_start);
    int total = 0;
    for (int ms = 0; ms <= 10'000; ms += 7)
        for (OutageShare& share : shares)
            total += admitted(share, k_start + std::chrono::milliseconds{ms}, 1);
    CHECK(total <= 50 + 400);
    CHECK(total >= 400);
}

TEST_CASE("outage share: owes what was admitted and not yet brought back by the rate", "[redis]")
{
    OutageShare share{bucket(40, 100), 100, 4, 0s, k_start};
    for (int i = 0; i < 20; ++i)
        share.take(1, k_start);
    CHECK(share.backlog(k_start) == 20);
    CHECK(share.backlog(k_start + 1s) == 10); // 10 a second are this worker's
    CHECK(share.backlog(k_start + 1min) == 0);
    CHECK(share.taken() == 20);
}

TEST_CASE("outage share: what an open policy lets in is owed up to two bursts of the whole", "[redis]")
{
    OutageShare share{bucket(1, 10), 10, 2, 0s, k_start};
    for (int i = 0; i < 5000; ++i)
        share.take(1, k_start);
    CHECK(share.backlog(k_start) == 10); // this worker's half of twice the burst
}

TEST_CASE("outage share: a quota is spent evenly, never beyond its part, and owed in full", "[redis]")
{
    LimitPolicy policy;
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = 1000;
    OutageShare share{policy, 100, 2, 100s, k_start};
    CHECK(admitted(share, k_start) == 5); // a batch of ten, for two
    CHECK(share.backlog(k_start + 1h) == 5);
    int total = 5;
    for (int s = 1; s < 200; ++s)
        total += admitted(share, k_start + std::chrono::seconds{s});
    CHECK(total == 50);
    CHECK(share.remaining(k_start + 200s) == 0);
}
