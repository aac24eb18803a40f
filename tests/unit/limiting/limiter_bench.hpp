// The in-memory limiter over a fake store and under fake clocks, which stand still until a test moves g_elapsed.
#pragma once

#include "adapters/local/rate_limiter.hpp"
#include "support/fakes_quota.hpp"

#include <catch2/catch.hpp>

#include <exception>
#include <span>

namespace gw::test {

using namespace std::chrono_literals;
using Status = LimitAnswer::Status;

inline constexpr WallTime k_start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 22h};
inline std::chrono::milliseconds g_elapsed{0};

inline MonoTime fake_mono() { return MonoTime{} + 1000h + g_elapsed; }
inline WallTime fake_wall() { return k_start + g_elapsed; }

inline LimitPolicy bucket(std::uint64_t rate, Duration period, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.name = "burst";
    policy.rate_count = rate;
    policy.rate_period = period;
    policy.burst = burst;
    return policy;
}

inline LimitPolicy quota(std::uint64_t amount, OnOutage on_outage = OnOutage::local)
{
    LimitPolicy policy;
    policy.name = "day";
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = amount;
    policy.on_outage = on_outage;
    return policy;
}

inline CounterId id(std::uint64_t n)
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

} // namespace gw::test
