// The in-memory limiter under fake clocks: what it forgets and when, outages of the quota store, single flights.
#include "adapters/local/rate_limiter.hpp"
#include "support/fakes_quota.hpp"

#include <catch2/catch.hpp>

#include <exception>
#include <thread>
#include <vector>

using namespace gw;
using namespace gw::test;
using namespace std::chrono_literals;
using Status = LimitAnswer::Status;

namespace {

constexpr WallTime k_start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 22h};
std::chrono::milliseconds g_elapsed{0};

MonoTime fake_mono() { return MonoTime{} + 1000h + g_elapsed; }
WallTime fake_wall() { return k_start + g_elapsed; }

LimitPolicy bucket(std::uint64_t rate, Duration period, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.name = "burst";
    policy.rate_count = rate;
    policy.rate_period = period;
    policy.burst = burst;
    return policy;
}

LimitPolicy quota(std::uint64_t amount, OnOutage on_outage = OnOutage::local)
{
    LimitPolicy policy;
    policy.name = "day";
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = amount;
    policy.on_outage = on_outage;
    return policy;
}

CounterId id(std::uint64_t n)
{
    return {{1, 2}, {n, n * 7}};
}

struct Bench {
    explicit Bench(std::size_t max_counters = 1'000'000) : limiter(store, debits, options(max_counters)) { g_elapsed = 0ms; }

    static local::RateLimiterOptions options(std::size_t max_counters)
    {
        local::RateLimiterOptions options;
        options.max_counters = max_counters;
        options.mono_now = fake_mono;
        options.wall_now = fake_wall;
        return options;
    }
    LimitAnswer try_charge(std::span<const Charge> charges, std::uint64_t cost = 1)
    {
        LimitAnswer answer;
        limiter.try_charge(charges, cost, fake_mono(), fake_wall(), answer);
        return answer;
    }
    LimitAnswer try_charge(const Charge& charge, std::uint64_t cost = 1) { return try_charge({&charge, 1}, cost); }
    // Asks the store if need be.
    LimitAnswer charge(const Charge& what, std::uint64_t cost = 1)
    {
        LimitAnswer answer = try_charge(what, cost);
        if (answer.status == Status::ask)
            run(limiter.charge({&what, 1}, cost, answer));
        return answer;
    }
    static void run(awaitable<void> work)
    {
        asio::io_context context{1};
        auto on_end = [](std::exception_ptr error) { REQUIRE_FALSE(error); };
        asio::co_spawn(context.get_executor(), std::move(work), on_end);
        context.run();
    }

    FakeQuotaStore store;
    SharedCounter debits;
    local::RateLimiter limiter;
};

} // namespace

TEST_CASE("local limiter: a bucket refills with time and says when", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = bucket(3, 1s, 3);
    const Charge charge{&policy, id(1)};
    CHECK(bench.try_charge(charge, 3).status == Status::admitted);
    LimitAnswer answer = bench.try_charge(charge);
    CHECK(answer.status == Status::refused);
    CHECK(answer.retry_after_seconds == 1);
    CHECK(answer.states[0].reset_seconds == 1);
    g_elapsed = 334ms;
    answer = bench.try_charge(charge);
    CHECK(answer.status == Status::admitted);
    CHECK(answer.states[0].remaining == 0);
    g_elapsed = 10s;
    answer = bench.try_charge(charge, 0);
    CHECK(answer.states[0].remaining == 3);
    CHECK(answer.states[0].reset_seconds == 1); // 3 tokens at 3/s, though the interval is rounded up
}

TEST_CASE("local limiter: a cost above the burst is refused with a finite Retry-After", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = bucket(1, 1s, 5);
    const Charge charge{&policy, id(1)};
    bench.try_charge(charge, 5);
    const LimitAnswer answer = bench.try_charge(charge, 6);
    CHECK(answer.status == Status::refused);
    CHECK(answer.retry_after_seconds == 5);
}

TEST_CASE("local limiter: a refusal by one counter charges none of the others", "[limiting]")
{
    Bench bench;
    const LimitPolicy wide = bucket(1, 1h, 10), narrow = bucket(1, 1h, 1);
    const std::array<Charge, 2> charges{{{&wide, id(1)}, {&narrow, id(2)}}};
    CHECK(bench.try_charge(charges).status == Status::admitted);
    const LimitAnswer answer = bench.try_charge(charges);
    CHECK(answer.status == Status::refused);
    CHECK(answer.states[0].remaining == 9);
    CHECK_FALSE(answer.states[0].violated);
    CHECK(answer.states[1].violated);
}

TEST_CASE("local limiter: a refusal needs no store", "[limiting]")
{
    Bench bench;
    const LimitPolicy day = quota(1000), narrow = bucket(1, 1h, 1);
    const std::array<Charge, 2> charges{{{&day, id(1)}, {&narrow, id(2)}}};
    bench.try_charge(charges[1]);
    CHECK(bench.try_charge(charges).status == Status::refused);
    CHECK(bench.store.debits() == 0);
}

TEST_CASE("local limiter: a bucket full for a minute is swept, a younger one is kept", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = bucket(1, 1s, 1);
    const Charge old{&policy, id(1)}, young{&policy, id(2)};
    const auto sweep_all = [&] {
        for (std::size_t i = 0; i < 8; ++i)
            bench.limiter.sweep(fake_mono());
    };
    bench.try_charge(old);
    g_elapsed = 30s;
    bench.try_charge(young);
    g_elapsed = 60s;
    sweep_all();
    CHECK(bench.limiter.counters() == 2);
    g_elapsed = 61s;
    sweep_all();
    CHECK(bench.limiter.counters() == 1);
    g_elapsed = 91s;
    sweep_all();
    CHECK(bench.limiter.counters() == 0);
    CHECK(bench.try_charge(old).status == Status::admitted);
}

TEST_CASE("local limiter: thousands of counters are swept in full", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = bucket(1, 1s, 1);
    for (std::uint64_t n = 0; n < 50'000; ++n)
        bench.try_charge(Charge{&policy, id(n)});
    CHECK(bench.limiter.counters() == 50'000);
    g_elapsed = 2min;
    for (int i = 0; i < 8; ++i)
        bench.limiter.sweep(fake_mono());
    CHECK(bench.limiter.counters() == 0);
}

TEST_CASE("local limiter: a full table shares an overflow among new addresses, keys keep their own", "[limiting]")
{
    Bench bench{1000};
    LimitPolicy per_ip = bucket(1, 1h, 2);
    per_ip.per = CountedPer::ip;
    LimitPolicy per_key = per_ip;
    per_key.per = CountedPer::key;
    for (std::uint64_t n = 0; n < 1000; ++n)
        REQUIRE(bench.try_charge(Charge{&per_ip, id(n)}).status == Status::admitted);

    std::size_t admitted = 0;
    for (std::uint64_t n = 1000; n < 11'000; ++n)
        admitted += bench.try_charge(Charge{&per_ip, id(n)}).status == Status::admitted;
    CHECK(admitted == 2 * local::CounterTable::k_shards);
    CHECK(bench.limiter.counters() == 1000 + local::CounterTable::k_shards);
    CHECK(bench.try_charge(Charge{&per_ip, id(5)}).status == Status::admitted); // known before
    for (std::uint64_t n = 50'000; n < 50'900; ++n)
        REQUIRE(bench.try_charge(Charge{&per_key, id(n)}).status == Status::admitted);
}

TEST_CASE("local limiter: no kind of policy grows the table without bound", "[limiting]")
{
    Bench bench{1000};
    const LimitPolicy per_key = bucket(1, 1h, 1);
    for (std::uint64_t n = 0; n < 10'000; ++n)
        bench.try_charge(Charge{&per_key, id(n)});
    CHECK(bench.limiter.counters() <= 2000 + local::CounterTable::k_shards);
}

TEST_CASE("local limiter: a full table makes room as soon as buckets are full again", "[limiting]")
{
    Bench bench{1000};
    LimitPolicy per_ip = bucket(1, 1s, 1);
    per_ip.per = CountedPer::ip;
    for (std::uint64_t n = 0; n < 2000; ++n)
        bench.try_charge(Charge{&per_ip, id(n)});
    g_elapsed = 2s;
    std::size_t admitted = 0;
    for (std::uint64_t n = 10'000; n < 10'500; ++n)
        admitted += bench.try_charge(Charge{&per_ip, id(n)}).status == Status::admitted;
    CHECK(admitted >= 450); // the first few find only their own shards swept
    CHECK(bench.limiter.counters() <= 1000 + local::CounterTable::k_shards);
}

TEST_CASE("local limiter: an empty lot asks, a fetched one answers from memory", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = quota(1000);
    const Charge charge{&policy, id(1)};
    CHECK(bench.try_charge(charge).status == Status::ask);
    CHECK(bench.charge(charge).status == Status::admitted);
    CHECK(bench.store.debits() == 1);
    CHECK(bench.debits.value() == 1);
    for (int i = 0; i < 9; ++i)
        CHECK(bench.try_charge(charge).status == Status::admitted);
    CHECK(bench.try_charge(charge).status == Status::ask);
    const LimitAnswer answer = bench.charge(charge);
    CHECK(answer.states[0].remaining == 989);
    CHECK(answer.states[0].reset_seconds == 7200);
}

TEST_CASE("local limiter: refilling in time, no request ever asks", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = quota(1000);
    const Charge charge{&policy, id(1)};
    REQUIRE(bench.charge(charge).status == Status::admitted);
    int admitted = 1;
    for (int i = 0; i < 300; ++i) {
        const LimitAnswer answer = bench.try_charge(charge);
        REQUIRE(answer.status == Status::admitted);
        ++admitted;
        Bench::run(bench.limiter.refill());
    }
    CHECK(bench.store.used(charge.counter, k_start - 22h) >= 301);
    CHECK(bench.store.used(charge.counter, k_start - 22h) <= 301 + 15);
    CHECK(bench.store.debits() < 70);
}

TEST_CASE("local limiter: concurrent misses of a counter share one debit", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = quota(10'000);
    const Charge charge{&policy, id(1)};
    std::vector<LimitAnswer> answers(50);
    asio::io_context context{1};
    auto on_end = [](std::exception_ptr error) { REQUIRE_FALSE(error); };
    for (LimitAnswer& answer : answers)
        asio::co_spawn(context.get_executor(), bench.limiter.charge({&charge, 1}, 1, answer), on_end);
    context.run();
    for (const LimitAnswer& answer : answers)
        CHECK(answer.status == Status::admitted);
    CHECK(bench.store.debits() == 1);
}

TEST_CASE("local limiter: a spent quota is refused from memory until its window ends", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = quota(3);
    const Charge charge{&policy, id(1)};
    for (int i = 0; i < 3; ++i)
        CHECK(bench.charge(charge).status == Status::admitted);
    const std::uint64_t asked = bench.store.debits();
    g_elapsed = 1h;
    const LimitAnswer answer = bench.try_charge(charge);
    CHECK(answer.status == Status::refused);
    CHECK(answer.retry_after_seconds == 3600);
    CHECK(bench.store.debits() == asked);
    g_elapsed = 2h;
    CHECK(bench.charge(charge).status == Status::admitted);
    CHECK(bench.store.used(charge.counter, k_start + 2h) == 1);
}

TEST_CASE("local limiter: a quota's counter is swept when its window has ended", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = quota(1000);
    bench.charge(Charge{&policy, id(1)});
    const auto sweep_all = [&] {
        for (int i = 0; i < 8; ++i)
            bench.limiter.sweep(fake_mono());
    };
    g_elapsed = 2h - 1ms;
    sweep_all();
    CHECK(bench.limiter.counters() == 1);
    g_elapsed = 2h;
    sweep_all();
    CHECK(bench.limiter.counters() == 0);
}

TEST_CASE("local limiter: store out of reach, closed answers unreachable and does not press", "[limiting]")
{
    Bench bench;
    bench.store.set_down(true);
    const LimitPolicy policy = quota(1000, OnOutage::closed);
    const Charge charge{&policy, id(1)};
    for (int i = 0; i < 5; ++i)
        CHECK(bench.charge(charge).status == Status::unreachable);
    CHECK(bench.store.debits() == 1);
    g_elapsed = 500ms;
    bench.store.set_down(false);
    CHECK(bench.charge(charge).status == Status::admitted);
}

TEST_CASE("local limiter: store out of reach, open admits without counting", "[limiting]")
{
    Bench bench;
    bench.store.set_down(true);
    const LimitPolicy policy = quota(10, OnOutage::open);
    const Charge charge{&policy, id(1)};
    for (int i = 0; i < 50; ++i)
        CHECK(bench.charge(charge).status == Status::admitted);
    bench.store.set_down(false);
    g_elapsed = 1s;
    int admitted = 0;
    while (bench.charge(charge).status == Status::admitted)
        ++admitted;
    CHECK(admitted == 10);
}

TEST_CASE("local limiter: store out of reach, local spends evenly and pays when it is back", "[limiting]")
{
    Bench bench;
    bench.store.set_down(true);
    const LimitPolicy policy = quota(864); // one every 100 s, 8 at once
    const Charge charge{&policy, id(1)};
    int admitted = 0;
    LimitAnswer answer;
    while ((answer = bench.charge(charge)).status == Status::admitted)
        ++admitted;
    CHECK(admitted == 8);
    CHECK(answer.retry_after_seconds == 100);
    g_elapsed = 100s;
    CHECK(bench.charge(charge).status == Status::admitted);
    CHECK(bench.charge(charge).status == Status::refused);

    bench.store.set_down(false);
    g_elapsed = 101s;
    answer = bench.charge(charge);
    CHECK(answer.status == Status::admitted);
    CHECK(answer.states[0].remaining == 854);
    CHECK(bench.store.used_in_all() == 9 + 8); // the debt and a batch
}

TEST_CASE("local limiter: store out of reach, a shadow quota never refuses", "[limiting]")
{
    Bench bench;
    bench.store.set_down(true);
    LimitPolicy policy = quota(1, OnOutage::closed);
    policy.enforce = false;
    const Charge charge{&policy, id(1)};
    for (int i = 0; i < 3; ++i)
        CHECK(bench.charge(charge).status == Status::admitted);
}

TEST_CASE("local limiter: a shadow quota that is spent is reported", "[limiting]")
{
    Bench bench;
    LimitPolicy policy = quota(1);
    policy.enforce = false;
    const Charge charge{&policy, id(1)};
    CHECK_FALSE(bench.charge(charge).shadow_violation);
    const LimitAnswer answer = bench.charge(charge);
    CHECK(answer.status == Status::admitted);
    CHECK(answer.shadow_violation);
    CHECK(answer.states[0].violated);
}

TEST_CASE("local limiter: a cancelled asker leaves no flight behind", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = quota(1000);
    const Charge charge{&policy, id(1)};
    LimitAnswer abandoned;
    {
        asio::io_context context{1};
        auto on_end = [](std::exception_ptr) {};
        asio::co_spawn(context.get_executor(), bench.limiter.charge({&charge, 1}, 1, abandoned), on_end);
        context.run_one(); // starts the debit; then the worker is gone
    }
    CHECK(bench.charge(charge).status == Status::admitted);
}

TEST_CASE("local limiter: a refund after somebody else's charge gives nothing back", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = bucket(1, 1h, 3);
    const std::array<Charge, 1> mine{{{&policy, id(1)}}};
    bench.try_charge(mine);
    std::thread other{[&] { bench.try_charge(mine); }};
    other.join();
    bench.limiter.refund(mine, 1);
    CHECK(bench.try_charge(mine).states[0].remaining == 0);
}

TEST_CASE("local limiter: a counter keeps its state when the policy's numbers change", "[limiting]")
{
    Bench bench;
    const LimitPolicy before = bucket(1, 1h, 5), after = bucket(1, 1h, 3);
    bench.try_charge(Charge{&before, id(1)}, 2);
    const LimitAnswer answer = bench.try_charge(Charge{&after, id(1)});
    CHECK(answer.status == Status::admitted);
    CHECK(answer.states[0].remaining == 0);
}

TEST_CASE("local limiter: shutting down returns what was lent and not spent", "[limiting]")
{
    Bench bench;
    const LimitPolicy policy = quota(1000);
    for (std::uint64_t n = 0; n < 5; ++n)
        bench.charge(Charge{&policy, id(n)});
    CHECK(bench.store.used_in_all() == 50);
    Bench::run(bench.limiter.shut_down());
    CHECK(bench.store.used_in_all() == 5);
}
