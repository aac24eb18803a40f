// What every RateLimiter promises, whatever is behind it. An implementation's test supplies a bench:
//
//   struct Bench {
//       gw::RateLimiter& limiter();   // several threads use it at once
//       void crash_and_restart();     // what was durable survives, nothing else does
//       void close();                 // an orderly stop: unspent quota goes back, if it was taken out
//       static std::uint64_t lost_by_crash(std::uint64_t quota); // at most, of a quota
//       static constexpr bool k_own_clock; // false: it decides by the `now` that it is given
//   };
//
// and calls check_rate_limiter_contract<Bench>(). Clocks are real, since a fleet's limiter has its own; nothing
// sleeps, and nothing assumes that the machine is fast.
#pragma once

#include "domain/token_bucket.hpp"
#include "net/asio.hpp"
#include "ports/rate_limiter.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace gw::test {

using namespace std::chrono_literals;

inline LimitPolicy bucket_policy(std::string name, std::uint64_t rate, Duration period, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.kind = LimitPolicy::Kind::bucket;
    policy.rate_count = rate;
    policy.rate_period = period;
    policy.burst = burst;
    return policy;
}

inline LimitPolicy quota_policy(std::string name, std::uint64_t quota, QuotaPeriod period = QuotaPeriod::month)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = quota;
    policy.quota_period = period;
    return policy;
}

// An identity that no other test, run or shared server has used.
inline CounterId fresh_counter()
{
    static std::random_device random;
    const auto word = [] { return (std::uint64_t{random()} << 32) | random(); };
    return {{word(), word()}, {word(), word()}};
}

// Charges as the data path does: from memory, else by asking, on an io_context of the calling thread.
inline LimitAnswer decide(RateLimiter& limiter, std::span<const Charge> charges, std::uint64_t cost = 1,
                          MonoTime now = MonoTime::clock::now())
{
    LimitAnswer answer;
    limiter.try_charge(charges, cost, now, wall_now(), answer);
    if (answer.status != LimitAnswer::Status::ask)
        return answer;
    asio::io_context context{1};
    std::exception_ptr failure;
    auto on_end = [&failure](std::exception_ptr error) { failure = error; };
    asio::co_spawn(context.get_executor(), limiter.charge(charges, cost, answer), on_end);
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    return answer;
}

inline bool admits(RateLimiter& limiter, const Charge& charge, std::uint64_t cost = 1)
{
    return decide(limiter, {&charge, 1}, cost).status == LimitAnswer::Status::admitted;
}

template <class Work>
void on_threads(int count, Work work)
{
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i)
        threads.emplace_back(work, i);
    for (std::thread& thread : threads)
        thread.join();
}

// Largest excess of admissions over burst + rate x T, over all sliding windows. By a clock of its own a limiter
// admitted at some time between question and answer: only what lies wholly in a window counts.
template <class Admissions>
double worst_excess(Admissions all, double burst, double rate_per_second, bool own_clock)
{
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.asked < b.asked; });
    double worst = -burst;
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::vector<MonoTime> ends; // of those that begin in a window that opens with i
        for (std::size_t j = i; j < all.size(); ++j)
            ends.push_back(own_clock ? all[j].answered : all[j].asked);
        std::sort(ends.begin(), ends.end());
        for (std::size_t n = 0; n < ends.size(); ++n) {
            const double seconds = std::chrono::duration<double>(ends[n] - all[i].asked).count();
            worst = std::max(worst, static_cast<double>(n + 1) - burst - rate_per_second * seconds);
        }
    }
    return worst;
}

template <class Bench>
void check_sliding_windows()
{
    Bench bench;
    const LimitPolicy policy = bucket_policy("window", 1000, 1s, 50);
    const Charge charge{&policy, fresh_counter()};
    constexpr int k_threads = 4;
    struct Admission {
        MonoTime asked, answered;
    };
    std::array<std::vector<Admission>, k_threads> admitted;
    const MonoTime end = MonoTime::clock::now() + 400ms;
    on_threads(k_threads, [&](int thread) {
        for (MonoTime now = MonoTime::clock::now(); now < end; now = MonoTime::clock::now()) {
            const LimitAnswer answer = decide(bench.limiter(), {&charge, 1}, 1, now);
            if (answer.status == LimitAnswer::Status::admitted)
                admitted[static_cast<std::size_t>(thread)].push_back({now, MonoTime::clock::now()});
        }
    });
    std::vector<Admission> all;
    for (const auto& some : admitted)
        all.insert(all.end(), some.begin(), some.end());

    CHECK(all.size() >= 50);
    CHECK(worst_excess(all, 50, 1000, Bench::k_own_clock) <= 1e-6);
}

template <class Bench>
void check_all_or_none()
{
    Bench bench;
    const LimitPolicy wide = bucket_policy("wide", 1, 1h, 100);
    const LimitPolicy narrow = bucket_policy("narrow", 1, 1h, 3);
    const LimitPolicy day = quota_policy("month", 50);
    const std::array<Charge, 3> charges{{{&wide, fresh_counter()}, {&day, fresh_counter()}, {&narrow, fresh_counter()}}};
    std::atomic<int> admitted{0};
    on_threads(4, [&](int) {
        for (int i = 0; i < 50; ++i)
            admitted += decide(bench.limiter(), charges).status == LimitAnswer::Status::admitted;
    });
    CHECK(admitted == 3);
    // The 197 refusals left nothing behind on the other two.
    int wide_left = 0, day_left = 0;
    while (admits(bench.limiter(), charges[0]))
        ++wide_left;
    while (admits(bench.limiter(), charges[1]))
        ++day_left;
    CHECK(wide_left == 97);
    CHECK(day_left == 47);
}

template <class Bench>
void check_answers()
{
    Bench bench;
    const LimitPolicy policy = bucket_policy("burst", 1, 10s, 5);
    const LimitPolicy slower = bucket_policy("slower", 1, 60s, 5);
    const std::array<Charge, 2> charges{{{&policy, fresh_counter()}, {&slower, fresh_counter()}}};
    LimitAnswer answer = decide(bench.limiter(), charges, 2);
    REQUIRE(answer.status == LimitAnswer::Status::admitted);
    CHECK(answer.states[0].remaining == 3);
    CHECK(answer.states[0].reset_seconds == 30);
    CHECK_FALSE(answer.states[0].violated);
    answer = decide(bench.limiter(), charges, 3);
    REQUIRE(answer.status == LimitAnswer::Status::admitted);
    CHECK(answer.states[0].remaining == 0);
    CHECK((answer.states[0].reset_seconds >= 1 && answer.states[0].reset_seconds <= 10));

    answer = decide(bench.limiter(), charges, 1);
    REQUIRE(answer.status == LimitAnswer::Status::refused);
    CHECK(answer.states[0].violated);
    CHECK(answer.states[1].violated);
    CHECK((answer.retry_after_seconds > 10 && answer.retry_after_seconds <= 60)); // the longest
    CHECK_FALSE(answer.shadow_violation);
}

template <class Bench>
void check_shadow()
{
    Bench bench;
    LimitPolicy shadow = bucket_policy("shadow", 1, 1h, 2);
    shadow.enforce = false;
    const LimitPolicy enforced = bucket_policy("enforced", 1, 1h, 5);
    const std::array<Charge, 2> charges{{{&shadow, fresh_counter()}, {&enforced, fresh_counter()}}};
    for (int i = 0; i < 2; ++i)
        CHECK_FALSE(decide(bench.limiter(), charges).shadow_violation);
    for (int i = 0; i < 3; ++i) {
        const LimitAnswer answer = decide(bench.limiter(), charges);
        CHECK(answer.status == LimitAnswer::Status::admitted);
        CHECK(answer.shadow_violation);
        CHECK(answer.states[0].violated);
    }
    const LimitAnswer answer = decide(bench.limiter(), charges);
    CHECK(answer.status == LimitAnswer::Status::refused);
    CHECK(answer.states[1].violated);
}

template <class Bench>
void check_quota()
{
    Bench bench;
    for (const std::uint64_t quota : {7u, 250u, 3000u}) {
        const LimitPolicy policy = quota_policy("month", quota);
        const Charge charge{&policy, fresh_counter()};
        std::atomic<std::uint64_t> admitted{0};
        on_threads(8, [&](int) {
            while (admits(bench.limiter(), charge))
                ++admitted;
        });
        CHECK(admitted == quota);
        const LimitAnswer answer = decide(bench.limiter(), {&charge, 1});
        CHECK(answer.status == LimitAnswer::Status::refused);
        CHECK(answer.states[0].remaining == 0);
        CHECK(answer.retry_after_seconds >= 1);
        CHECK(answer.retry_after_seconds == answer.states[0].reset_seconds);
    }
}

template <class Bench>
void check_partitions()
{
    Bench bench;
    const LimitPolicy policy = bucket_policy("burst", 1, 1h, 1);
    Charge charge{&policy, fresh_counter()};
    CHECK(admits(bench.limiter(), charge));
    CHECK_FALSE(admits(bench.limiter(), charge));
    charge.counter.partition.low ^= 1;
    CHECK(admits(bench.limiter(), charge));
    charge.counter.policy.high ^= 1;
    CHECK(admits(bench.limiter(), charge));
}

template <class Bench>
void check_refund()
{
    Bench bench;
    const LimitPolicy burst = bucket_policy("burst", 1, 1h, 5);
    const LimitPolicy month = quota_policy("month", 5);
    const std::array<Charge, 2> charges{{{&burst, fresh_counter()}, {&month, fresh_counter()}}};
    REQUIRE(decide(bench.limiter(), charges, 4).status == LimitAnswer::Status::admitted);
    CHECK(decide(bench.limiter(), charges, 2).status == LimitAnswer::Status::refused);
    REQUIRE(decide(bench.limiter(), charges, 1).status == LimitAnswer::Status::admitted);
    bench.limiter().refund(charges, 1);
    bench.limiter().refund(charges, 1); // a second one has nothing to give back
    const LimitAnswer answer = decide(bench.limiter(), charges, 1);
    CHECK(answer.status == LimitAnswer::Status::admitted);
    CHECK(answer.states[0].remaining == 0);
    CHECK(answer.states[1].remaining == 0);
    CHECK(decide(bench.limiter(), charges, 1).status == LimitAnswer::Status::refused);
}

template <class Bench>
void check_crash()
{
    Bench bench;
    constexpr std::uint64_t k_quota = 1000;
    const LimitPolicy policy = quota_policy("month", k_quota);
    const Charge charge{&policy, fresh_counter()};
    std::uint64_t admitted = 0;
    constexpr int k_crashes = 5;
    for (int crash = 0; crash < k_crashes; ++crash) {
        for (int i = 0; i < 33; ++i)
            admitted += admits(bench.limiter(), charge);
        bench.crash_and_restart();
    }
    while (admits(bench.limiter(), charge))
        ++admitted;
    CHECK(admitted <= k_quota);
    CHECK(admitted + k_crashes * Bench::lost_by_crash(k_quota) >= k_quota);
}

template <class Bench>
void check_close()
{
    Bench bench;
    const LimitPolicy policy = quota_policy("month", 1000);
    const Charge charge{&policy, fresh_counter()};
    std::uint64_t admitted = 0;
    for (int stop = 0; stop < 5; ++stop) {
        for (int i = 0; i < 33; ++i)
            admitted += admits(bench.limiter(), charge);
        bench.close();
        bench.crash_and_restart();
    }
    while (admits(bench.limiter(), charge))
        ++admitted;
    CHECK(admitted == 1000);
}

template <class Bench>
void check_rate_limiter_contract()
{
    SECTION("every sliding window holds at most burst + rate x T") { check_sliding_windows<Bench>(); }
    SECTION("all or none of the enforced counters are charged") { check_all_or_none<Bench>(); }
    SECTION("an answer says what remains and when to come back") { check_answers<Bench>(); }
    SECTION("shadow mode counts and reports, and never refuses") { check_shadow<Bench>(); }
    SECTION("a quota is spent to the last token and never exceeded") { check_quota<Bench>(); }
    SECTION("another policy or partition is another counter") { check_partitions<Bench>(); }
    SECTION("a refund gives back one charge, once") { check_refund<Bench>(); }
    SECTION("a crash never grants a quota twice, and loses at most what was lent") { check_crash<Bench>(); }
    SECTION("an orderly stop loses nothing of a quota") { check_close<Bench>(); }
}

} // namespace gw::test
