// Of rate_limiter_contract.hpp: what every limiter promises about requests under way at once.
#pragma once

#include "contract/rate_limiter_contract.hpp"

namespace gw::test {

inline LimitPolicy concurrency_policy(std::string name, std::uint64_t limit)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.kind = LimitPolicy::Kind::concurrency;
    policy.concurrency = limit;
    return policy;
}

template <class Bench>
void check_slots()
{
    Bench bench;
    const LimitPolicy policy = concurrency_policy("at-once", 3);
    const std::array<Charge, 1> charges{{{&policy, fresh_counter()}}};
    std::vector<LimitAnswer> held;
    for (std::uint64_t left : {2u, 1u, 0u}) {
        held.push_back(decide(bench.limiter(), charges));
        REQUIRE(held.back().status == LimitAnswer::Status::admitted);
        CHECK(held.back().holds_slots);
        CHECK(held.back().states[0].remaining == left);
    }
    LimitAnswer refused = decide(bench.limiter(), charges);
    REQUIRE(refused.status == LimitAnswer::Status::refused);
    CHECK(refused.states[0].violated);
    CHECK(refused.states[0].remaining == 0);
    CHECK(refused.retry_after_seconds == 1);
    bench.limiter().release(charges, refused); // holds nothing
    CHECK(decide(bench.limiter(), charges).status == LimitAnswer::Status::refused);

    bench.limiter().release(charges, held[0]);
    bench.limiter().release(charges, held[0]); // has given its slot back
    CHECK(decide(bench.limiter(), charges, 5).status == LimitAnswer::Status::admitted); // one slot, whatever the cost
    CHECK(decide(bench.limiter(), charges).status == LimitAnswer::Status::refused);
}

template <class Bench>
void check_slots_all_or_none()
{
    Bench bench;
    const LimitPolicy slots = concurrency_policy("at-once", 1);
    const LimitPolicy narrow = bucket_policy("narrow", 1, 1h, 1);
    const std::array<Charge, 2> charges{{{&slots, fresh_counter()}, {&narrow, fresh_counter()}}};
    LimitAnswer first = decide(bench.limiter(), charges);
    REQUIRE(first.status == LimitAnswer::Status::admitted);
    bench.limiter().release(charges, first);
    // The bucket refuses: no slot stays taken.
    LimitAnswer second = decide(bench.limiter(), charges);
    CHECK(second.status == LimitAnswer::Status::refused);
    CHECK_FALSE(second.holds_slots);
    CHECK(admits(bench.limiter(), charges[0]));
}

template <class Bench>
void check_slots_in_shadow()
{
    Bench bench;
    LimitPolicy policy = concurrency_policy("at-once", 1);
    policy.enforce = false;
    const std::array<Charge, 1> charges{{{&policy, fresh_counter()}}};
    LimitAnswer first = decide(bench.limiter(), charges);
    LimitAnswer second = decide(bench.limiter(), charges);
    CHECK_FALSE(first.shadow_violation);
    CHECK(second.status == LimitAnswer::Status::admitted);
    CHECK(second.shadow_violation);
    bench.limiter().release(charges, first);
    bench.limiter().release(charges, second);
    CHECK_FALSE(decide(bench.limiter(), charges).shadow_violation);
}

// However many try at once, no more than the limit are ever inside, and nobody's slot is lost.
template <class Bench>
void check_slots_under_pressure()
{
    Bench bench;
    constexpr int k_slots = 4;
    const LimitPolicy policy = concurrency_policy("at-once", k_slots);
    const std::array<Charge, 1> charges{{{&policy, fresh_counter()}}};
    std::atomic<int> inside{0}, most{0}, admitted{0};
    const MonoTime end = MonoTime::clock::now() + 300ms;
    on_threads(8, [&](int) {
        while (MonoTime::clock::now() < end) {
            LimitAnswer answer = decide(bench.limiter(), charges);
            if (answer.status != LimitAnswer::Status::admitted)
                continue;
            const int now_inside = ++inside;
            for (int seen = most; seen < now_inside && !most.compare_exchange_weak(seen, now_inside);) {
            }
            ++admitted;
            std::this_thread::yield();
            --inside;
            bench.limiter().release(charges, answer);
        }
    });
    CHECK(most <= k_slots);
    CHECK(admitted > k_slots);
    // What was released comes back, if not at once: a store may have to hear of it.
    std::vector<LimitAnswer> held;
    const MonoTime patience = MonoTime::clock::now() + 10s;
    while (held.size() < k_slots && MonoTime::clock::now() < patience)
        if (LimitAnswer answer = decide(bench.limiter(), charges); answer.status == LimitAnswer::Status::admitted)
            held.push_back(answer);
    CHECK(held.size() == k_slots);
    CHECK(decide(bench.limiter(), charges).status == LimitAnswer::Status::refused);
}

template <class Bench>
void check_rate_limiter_slots_contract()
{
    SECTION("slots are held until released, and each released once") { check_slots<Bench>(); }
    SECTION("a refusal by another counter holds no slot") { check_slots_all_or_none<Bench>(); }
    SECTION("slots in shadow mode refuse nobody") { check_slots_in_shadow<Bench>(); }
    SECTION("never more at once than the limit") { check_slots_under_pressure<Bench>(); }
}

} // namespace gw::test
