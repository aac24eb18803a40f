// The fleet's limiter keeps the contract: four workers on one Redis, which survives the "crash" of all of them.
#include "contract/rate_limiter_contract.hpp"
#include "contract/rate_limiter_slots_contract.hpp"
#include "contract/redis_workers.hpp"

#include "domain/quota_lot.hpp"

using namespace gw;
using namespace gw::test;

namespace {

RedisServer& shared_server()
{
    static RedisServer server;
    return server;
}

redis::Options options_for(RedisServer& server, std::chrono::milliseconds timeout)
{
    redis::Options options;
    options.server = server.address();
    options.command_timeout = timeout;
    return options;
}

class RedisBench {
public:
    static constexpr bool k_own_clock = true;
    static std::uint64_t lost_by_crash(std::uint64_t quota) { return QuotaLot::batch(quota); }

    RedisBench() { crash_and_restart(); }
    gw::RateLimiter& limiter() { return *fleet_; }
    void crash_and_restart()
    {
        fleet_.reset();
        // Patient, so that a busy machine is not taken for an outage.
        fleet_ = std::make_unique<RedisFleet>(options_for(shared_server(), 5s), redis::RateLimiterOptions{}, 4);
    }
    void close() { fleet_->close(); }

private:
    std::unique_ptr<RedisFleet> fleet_;
};

} // namespace

TEST_CASE("redis rate limiter: keeps the contract", "[contract]")
{
    check_rate_limiter_contract<RedisBench>();
}

TEST_CASE("redis rate limiter: keeps the contract of slots", "[contract]")
{
    check_rate_limiter_slots_contract<RedisBench>();
}

TEST_CASE("redis rate limiter: with leases most requests need no call, and nothing is lost", "[contract]")
{
    redis::RateLimiterOptions limits;
    RedisFleet fleet{options_for(shared_server(), 5s), limits, 4};
    const LimitPolicy policy = bucket_policy("burst", 500, 1s, 500);
    const Charge charge{&policy, fresh_counter()};
    std::atomic<std::uint64_t> admitted{0}, asked{0};
    const MonoTime begin = MonoTime::clock::now(), end = begin + 2s;
    on_threads(4, [&](int) {
        while (MonoTime::clock::now() < end) {
            admitted += admits(fleet, charge);
            ++asked;
            std::this_thread::sleep_for(500us);
        }
    });
    const double seconds = std::chrono::duration<double>(MonoTime::clock::now() - begin).count();
    INFO("asked " << asked << ", admitted " << admitted << ", calls " << fleet.calls());
    CHECK(static_cast<double>(admitted) <= 500 + 500 * seconds);
    CHECK(static_cast<double>(admitted) >= 0.9 * (500 + 500 * 2));
    CHECK(fleet.calls() * 5 <= admitted);
}

TEST_CASE("redis rate limiter: exact policies lend nothing, and every request is a call", "[contract]")
{
    redis::RateLimiterOptions limits;
    RedisFleet fleet{options_for(shared_server(), 5s), limits, 1};
    LimitPolicy policy = bucket_policy("burst", 1000, 1s, 1000);
    policy.exact = true;
    const Charge charge{&policy, fresh_counter()};
    for (int i = 0; i < 200; ++i)
        REQUIRE(admits(fleet, charge));
    CHECK(fleet.calls() == 200);
}

TEST_CASE("redis rate limiter: a refusal is answered from memory while it holds", "[contract]")
{
    redis::RateLimiterOptions limits;
    RedisFleet fleet{options_for(shared_server(), 5s), limits, 1};
    const LimitPolicy policy = bucket_policy("burst", 1, 1h, 1);
    const Charge charge{&policy, fresh_counter()};
    REQUIRE(admits(fleet, charge));
    for (int i = 0; i < 100; ++i)
        REQUIRE_FALSE(admits(fleet, charge));
    CHECK(fleet.calls() == 2);
}

TEST_CASE("redis rate limiter: a refusal in one slot takes back what another has charged", "[contract]")
{
    redis::RateLimiterOptions limits;
    RedisFleet fleet{options_for(shared_server(), 5s), limits, 1};
    LimitPolicy per_route = bucket_policy("route", 1, 1h, 5);
    per_route.per = CountedPer::route;
    const LimitPolicy per_key = bucket_policy("key", 1, 1h, 2);
    const std::array<Charge, 2> charges{{{&per_key, fresh_counter(), 7}, {&per_route, fresh_counter(), 8}}};
    for (int i = 0; i < 2; ++i)
        CHECK(decide(fleet, charges).status == LimitAnswer::Status::admitted);
    for (int i = 0; i < 5; ++i)
        CHECK(decide(fleet, charges).status == LimitAnswer::Status::refused);
    int left = 0;
    while (admits(fleet, charges[1]))
        ++left;
    CHECK(left == 3);
}

TEST_CASE("redis rate limiter: names of keys say nothing and carry a version", "[contract]")
{
    RedisServer server;
    redis::RateLimiterOptions limits;
    limits.key_prefix = "gate";
    RedisFleet fleet{options_for(server, 5s), limits, 1};
    const LimitPolicy policy = bucket_policy("very-secret-name", 1, 1s, 2);
    const Charge charge{&policy, fresh_counter(), 0xAB};
    REQUIRE(admits(fleet, charge));
    const redis::Reply keys = server.ask({"KEYS", "*"});
    REQUIRE(keys.items.size() == 1);
    CHECK_THAT(keys.items[0].text, Catch::Matches("gate:l1:\\{00000000000000ab\\}:[0-9a-f]{64}:b"));
    const redis::Reply expires = server.ask({"PTTL", keys.items[0].text});
    CHECK((expires.integer > 0 && expires.integer <= 3000));
}
