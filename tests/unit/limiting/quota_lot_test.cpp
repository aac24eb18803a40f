#include "domain/quota_lot.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;
using Verdict = QuotaLot::Verdict;

namespace {

constexpr WallTime k_noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h};

QuotaLot lot_at(WallTime now)
{
    QuotaLot lot;
    lot.enter(QuotaPeriod::day, now);
    return lot;
}

// Asks a store that has debited `used` so far, as the limiter does.
void fetch(QuotaLot& lot, std::uint64_t quota, std::uint64_t cost, std::uint64_t& used)
{
    const std::uint64_t wanted = lot.wanted(quota, cost);
    const std::uint64_t granted = std::min(wanted, quota - used);
    used += granted;
    lot.deposit(lot.window(), quota, wanted, granted, used);
}

} // namespace

TEST_CASE("quota lot: an empty one asks, for 1 % of the quota between 1 and 1000", "[limiting]")
{
    const QuotaLot lot = lot_at(k_noon);
    CHECK(lot.check(5000, 1) == Verdict::ask);
    CHECK(lot.wanted(5000, 1) == 50);
    CHECK(lot.wanted(10, 1) == 1);
    CHECK(lot.wanted(10'000'000, 1) == 1000);
    CHECK(lot.wanted(5000, 70) == 70); // a request that costs more than a batch
}

TEST_CASE("quota lot: what was deposited is spent, then it asks again", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    std::uint64_t used = 0;
    fetch(lot, 200, 1, used);
    REQUIRE(used == 2);
    lot.take(1);
    CHECK(lot.remaining(200) == 199);
    CHECK(lot.check(200, 1) == Verdict::available);
    lot.take(1);
    CHECK(lot.remaining(200) == 198);
    CHECK(lot.check(200, 1) == Verdict::ask);
}

TEST_CASE("quota lot: less than was wanted means that the rest is gone", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    lot.deposit(lot.window(), 5000, 50, 3, 5000);
    CHECK(lot.remaining(5000) == 3);
    CHECK(lot.check(5000, 3) == Verdict::available);
    CHECK(lot.check(5000, 4) == Verdict::refused);
    lot.take(3);
    CHECK(lot.check(5000, 1) == Verdict::refused);
    CHECK_FALSE(lot.is_low(5000));
}

TEST_CASE("quota lot: a refusal lasts until the window's end, not longer", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    lot.deposit(lot.window(), 100, 1, 0, 100);
    lot.enter(QuotaPeriod::day, k_noon + 12h - 1ms);
    CHECK(lot.check(100, 1) == Verdict::refused);
    CHECK(lot.seconds_left(k_noon + 12h - 1ms) == 1);
    CHECK(lot.seconds_left(k_noon) == 43'200);
    lot.enter(QuotaPeriod::day, k_noon + 12h);
    CHECK(lot.check(100, 1) == Verdict::ask);
    CHECK(lot.remaining(100) == 100);
}

TEST_CASE("quota lot: an unspent lot is void in the next window, and so is a late deposit", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    const QuotaWindow before = lot.window();
    std::uint64_t used = 0;
    fetch(lot, 1000, 1, used);
    lot.enter(QuotaPeriod::day, k_noon + 24h);
    CHECK(lot.check(1000, 1) == Verdict::ask);
    lot.deposit(before, 1000, 10, 10, 20);
    CHECK(lot.check(1000, 1) == Verdict::ask);
    CHECK(lot.remaining(1000) == 1000);
}

TEST_CASE("quota lot: another period is another window", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    std::uint64_t used = 0;
    fetch(lot, 1000, 1, used);
    lot.enter(QuotaPeriod::hour, k_noon);
    CHECK(lot.check(1000, 1) == Verdict::ask);
    CHECK(lot.seconds_left(k_noon) == 3600);
}

TEST_CASE("quota lot: a raised quota is asked for, a lowered one binds at once", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    lot.deposit(lot.window(), 100, 1, 0, 100);
    CHECK(lot.check(150, 1) == Verdict::ask);

    QuotaLot other = lot_at(k_noon);
    other.deposit(other.window(), 1000, 10, 10, 30);
    CHECK(other.check(20, 1) == Verdict::refused); // 20 were spent elsewhere already
    CHECK(other.check(25, 5) == Verdict::available);
    CHECK(other.check(25, 6) == Verdict::refused);
}

TEST_CASE("quota lot: half a batch left is low", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    std::uint64_t used = 0;
    fetch(lot, 1000, 1, used);
    for (int i = 0; i < 4; ++i)
        lot.take(1);
    CHECK_FALSE(lot.is_low(1000));
    lot.take(1);
    CHECK(lot.is_low(1000));
}

TEST_CASE("quota lot: a debt is paid before anything is lent again", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    lot.take(7); // the store was out of reach
    CHECK(lot.remaining(1000) == 993);
    CHECK(lot.wanted(1000, 1) == 17);
    std::uint64_t used = 0;
    fetch(lot, 1000, 1, used);
    CHECK(lot.remaining(1000) == 993);
    CHECK(lot.check(1000, 10) == Verdict::available);
    CHECK(lot.check(1000, 11) == Verdict::ask);
}

TEST_CASE("quota lot: giving back undoes a take", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    std::uint64_t used = 0;
    fetch(lot, 100, 1, used);
    lot.take(3); // one from the lot, two on credit
    lot.give_back(3);
    CHECK(lot.remaining(100) == 100);
    CHECK(lot.check(100, 1) == Verdict::available);
    CHECK(lot.check(100, 2) == Verdict::ask);
}

TEST_CASE("quota lot: withdrawing empties it and forgets nothing that was spent", "[limiting]")
{
    QuotaLot lot = lot_at(k_noon);
    std::uint64_t used = 0;
    fetch(lot, 1000, 1, used);
    lot.take(4);
    CHECK(lot.withdraw() == 6);
    CHECK(lot.withdraw() == 0);
    CHECK(lot.remaining(1000) == 996);
    CHECK(lot.check(1000, 1) == Verdict::ask);
}

TEST_CASE("quota lot: out of reach it is spent evenly, one batch at once", "[limiting]")
{
    const QuotaLot lot = lot_at(k_noon);
    const BucketShape shape = lot.outage_shape(864, 1);
    CHECK(shape.interval_ns == 100'000'000'000);
    CHECK(shape.burst == 8);
    CHECK(lot.outage_shape(864, 20).burst == 20);
}
