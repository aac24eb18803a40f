// The in-memory limiter's buckets and table: decisions over several counters, sweeping, the bound, refunds.
#include "unit/limiting/limiter_bench.hpp"

#include <array>
#include <thread>

using namespace gw;
using namespace gw::test;

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
