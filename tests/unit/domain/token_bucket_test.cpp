// Bucket arithmetic under a fake clock.
#include "domain/token_bucket.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <random>
#include <vector>

using namespace gw;
using namespace std::chrono_literals;

namespace {

MonoTime at(Duration since_boot)
{
    return MonoTime{std::chrono::duration_cast<MonoTime::duration>(since_boot)};
}

LimitPolicy bucket(std::uint64_t count, Duration period, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.rate_count = count;
    policy.rate_period = period;
    policy.burst = burst;
    return policy;
}

} // namespace

TEST_CASE("BucketShape: the interval is rounded up, never looser than declared", "[domain]")
{
    CHECK(BucketShape::of(bucket(100, 1s, 50)).interval_ns == 10'000'000);
    CHECK(BucketShape::of(bucket(3, 1s, 1)).interval_ns == 333'333'334);
    CHECK(BucketShape::of(bucket(5'000'000'000, 1s, 1)).interval_ns == 1);
    CHECK(BucketShape::of(bucket(60, 60s, 20)).burst == 20);
}

TEST_CASE("BucketShape: extreme policies neither overflow nor become generous", "[domain]")
{
    const auto policy = GENERATE(values<LimitPolicy>(
        {bucket(1, std::chrono::hours{24 * 365}, UINT64_MAX), bucket(0, 1s, 5), bucket(1, 0s, 5),
         bucket(UINT64_MAX, 1s, 1), bucket(1, Duration::max(), 1), bucket(1, 1s, 0)}));
    const BucketShape shape = BucketShape::of(policy);
    CHECK(shape.burst <= policy.burst);

    TokenBucket counter;
    const MonoTime now = at(std::chrono::hours{24 * 365 * 50});
    CHECK(counter.level(shape, now).tokens == shape.burst);
    CHECK(counter.try_take(shape, shape.burst, now));
    CHECK(counter.level(shape, now).tokens == 0);
    CHECK_FALSE(counter.try_take(shape, 1, now));
    CHECK(counter.wait_for(shape, 1, now) > 0s);
}

TEST_CASE("TokenBucket: a fresh bucket gives its burst at once and then one token an interval", "[domain]")
{
    const BucketShape shape = BucketShape::of(bucket(10, 1s, 3));
    TokenBucket counter;
    for (int i = 0; i < 3; ++i)
        CHECK(counter.try_take(shape, 1, at(1s)));
    CHECK_FALSE(counter.try_take(shape, 1, at(1s)));
    CHECK_FALSE(counter.try_take(shape, 1, at(1s + 99'999'999ns)));
    CHECK(counter.try_take(shape, 1, at(1s + 100ms)));
    CHECK_FALSE(counter.try_take(shape, 1, at(1s + 100ms)));
}

TEST_CASE("TokenBucket: a cost is taken whole or not at all", "[domain]")
{
    const BucketShape shape = BucketShape::of(bucket(10, 1s, 5));
    TokenBucket counter;
    CHECK(counter.try_take(shape, 3, at(1s)));
    CHECK_FALSE(counter.try_take(shape, 3, at(1s)));
    CHECK(counter.level(shape, at(1s)).tokens == 2);
    CHECK(counter.try_take(shape, 2, at(1s)));
    CHECK(counter.try_take(shape, 0, at(1s)));
}

TEST_CASE("TokenBucket: a cost above the burst is never admitted", "[domain]")
{
    const BucketShape shape = BucketShape::of(bucket(10, 1s, 5));
    TokenBucket counter;
    CHECK_FALSE(counter.try_take(shape, 6, at(1000s)));
    CHECK_FALSE(counter.try_take(shape, UINT64_MAX, at(1000s)));
    CHECK(counter.wait_for(shape, 6, at(1000s)) == Duration::max());
    CHECK(counter.level(shape, at(1000s)).tokens == 5);
}

TEST_CASE("TokenBucket: what is given back can be taken again, and no more", "[domain]")
{
    const BucketShape shape = BucketShape::of(bucket(10, 1s, 5));
    TokenBucket counter;
    CHECK(counter.try_take(shape, 4, at(1s)));
    counter.give_back(shape, 4);
    CHECK(counter.is_full(at(1s)));
    counter.give_back(shape, 100);
    CHECK(counter.level(shape, at(1s)).tokens == 5);
    CHECK(counter.try_take(shape, 5, at(1s)));
    CHECK_FALSE(counter.try_take(shape, 1, at(1s)));
}

TEST_CASE("TokenBucket: giving back forever does not wrap round", "[domain]")
{
    const BucketShape shape = BucketShape::of(bucket(1, std::chrono::hours{24 * 365}, 70));
    TokenBucket counter;
    for (int i = 0; i < 1000; ++i)
        counter.give_back(shape, 70);
    CHECK(counter.level(shape, at(1s)).tokens == 70);
    CHECK(counter.is_full(at(1s)));
}

TEST_CASE("TokenBucket: level and wait say when the next token comes", "[domain]")
{
    const BucketShape shape = BucketShape::of(bucket(10, 1s, 3));
    TokenBucket counter;
    CHECK(counter.level(shape, at(1s)).until_next == 0s);
    CHECK(counter.is_full(at(1s)));

    REQUIRE(counter.try_take(shape, 3, at(1s)));
    CHECK_FALSE(counter.is_full(at(1s + 299ms)));
    CHECK(counter.is_full(at(1s + 300ms)));
    CHECK(counter.level(shape, at(1s + 30ms)).tokens == 0);
    CHECK(counter.level(shape, at(1s + 30ms)).until_next == 70ms);
    CHECK(counter.level(shape, at(1s + 230ms)).tokens == 2);
    CHECK(counter.level(shape, at(1s + 230ms)).until_next == 70ms);
    CHECK(counter.wait_for(shape, 2, at(1s + 30ms)) == 170ms);
    CHECK(counter.wait_for(shape, 0, at(1s)) == 0s);
    CHECK(counter.wait_for(shape, 1, at(2s)) == 0s);
}

TEST_CASE("TokenBucket: a bucket made smaller by a reload owes its debt and recovers", "[domain]")
{
    const BucketShape large = BucketShape::of(bucket(10, 1s, 100)),
                      small = BucketShape::of(bucket(10, 1s, 2));
    TokenBucket counter;
    REQUIRE(counter.try_take(large, 100, at(1s)));
    CHECK(counter.level(small, at(1s)).tokens == 0);
    CHECK_FALSE(counter.try_take(small, 1, at(2s)));
    CHECK(counter.level(small, at(1s)).until_next == 10s - 100ms);
    CHECK(counter.try_take(small, 1, at(11s)));
}

TEST_CASE("TokenBucket: in every window of length T at most burst + rate x T are admitted", "[domain]")
{
    const std::uint32_t seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
    std::mt19937_64 random{seed};
    const std::uint64_t count = 1 + random() % 300, burst = 1 + random() % 50;
    const Duration period = std::chrono::milliseconds{1 + random() % 2000};
    const BucketShape shape = BucketShape::of(bucket(count, period, burst));
    TokenBucket counter;

    struct Take {
        std::int64_t at_ns;
        std::uint64_t before, after; // tokens admitted in all, before and with this one
    };
    std::vector<Take> takes;
    std::uint64_t total = 0;
    std::int64_t now = 1'000'000'000;
    for (int i = 0; i < 3000; ++i) {
        // Crowds, trickles and long pauses.
        const std::uint64_t mood = random() % 10;
        now += static_cast<std::int64_t>(mood < 6   ? random() % 1000
                                         : mood < 9 ? random() % 20'000'000
                                                    : random() % 3'000'000'000);
        const std::uint64_t cost = 1 + random() % std::min<std::uint64_t>(3, burst);
        if (counter.try_take(shape, cost, at(Duration{now}))) {
            if (random() % 16 == 0) { // a later policy refused: as if it had never been
                counter.give_back(shape, cost);
                continue;
            }
            takes.push_back({now, total, total + cost});
            total += cost;
        }
    }
    REQUIRE(takes.size() > 100);

    // Admitted in [a, b] * period <= burst * period + count * (b - a), in whole numbers.
    bool holds = true;
    for (std::size_t first = 0; first < takes.size() && holds; ++first)
        for (std::size_t last = first; last < takes.size() && holds; ++last) {
            const auto admitted = static_cast<long double>(takes[last].after - takes[first].before);
            const auto window = static_cast<long double>(takes[last].at_ns - takes[first].at_ns);
            const auto allowed =
                static_cast<long double>(burst) +
                static_cast<long double>(count) * window / static_cast<long double>(period.count());
            holds = admitted <= allowed + 1e-9L;
        }
    CHECK(holds);
}

TEST_CASE("TokenBucket: a steady crowd gets all that is allowed", "[domain]")
{
    const BucketShape shape = BucketShape::of(bucket(100, 1s, 100));
    TokenBucket counter;
    std::uint64_t admitted = 0;
    for (std::int64_t ms = 0; ms < 10'000; ++ms)
        for (int client = 0; client < 5; ++client)
            admitted += counter.try_take(shape, 1, at(100s + std::chrono::milliseconds{ms}));
    CHECK(admitted >= 1098);
    CHECK(admitted <= 1100);
}

TEST_CASE("quota_window: calendar periods in UTC", "[domain]")
{
    const auto [period, now, start, end] =
        GENERATE(table<QuotaPeriod, std::string, std::string, std::string>({
            {QuotaPeriod::hour, "2026-11-22T08:59:59.999Z", "2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z"},
            {QuotaPeriod::hour, "2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z"},
            {QuotaPeriod::day, "2026-12-31T23:59:59Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
            {QuotaPeriod::month, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
            {QuotaPeriod::month, "2024-02-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
            {QuotaPeriod::day, "1969-12-31T12:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"},
        }));
    const QuotaWindow window = quota_window(period, *parse_rfc3339(now));
    CHECK(to_rfc3339(window.start) == start);
    CHECK(to_rfc3339(window.end) == end);
}

TEST_CASE("window_seconds: nominal length of a quota, refill time of a bucket", "[domain]")
{
    const WallTime now = *parse_rfc3339("2024-02-10T00:00:00Z");
    LimitPolicy quota;
    quota.kind = LimitPolicy::Kind::quota;
    const auto [period, seconds] = GENERATE(table<QuotaPeriod, std::int64_t>({
        {QuotaPeriod::hour, 3600},
        {QuotaPeriod::day, 86400},
        {QuotaPeriod::month, 29 * 86400},
    }));
    quota.quota_period = period;
    CHECK(window_seconds(quota, now) == seconds);

    CHECK(window_seconds(bucket(60, 60s, 20), now) == 20);
    CHECK(window_seconds(bucket(100, 1s, 50), now) == 1);
    CHECK(window_seconds(bucket(100, 1s, 150), now) == 2);
    CHECK(window_seconds(bucket(1, 1s, 0), now) == 1);
}
