// The in-memory limiter's quotas: lots, prefetch, single flights, outages of the store, give-back.
#include "unit/limiting/limiter_bench.hpp"

#include <vector>

using namespace gw;
using namespace gw::test;

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
