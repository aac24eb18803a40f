#include "verification/failed_attempts.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

constexpr MonoTime k_start{100h};
const KeyId k_key = *KeyId::parse("aaaaaaaaaaaaaaaa");
const KeyId k_other = *KeyId::parse("bbbbbbbbbbbbbbbb");

LimitPolicy per_minute(std::uint64_t count)
{
    LimitPolicy policy;
    policy.rate_count = count;
    policy.rate_period = 1min;
    policy.burst = count;
    return policy;
}

Address address(std::string_view text)
{
    return *Address::parse(text);
}

void fail(FailedAttempts& failures, std::string_view client, const std::optional<KeyId>& key, int times)
{
    for (int i = 0; i < times; ++i)
        failures.record_failure(address(client), key, k_start);
}

} // namespace

TEST_CASE("failed_attempts: an address has its attempts, and gets them back with time", "[verification]")
{
    FailedAttempts failures{per_minute(60), per_minute(10)};
    fail(failures, "192.0.2.1", std::nullopt, 59);
    CHECK(failures.may_try(address("192.0.2.1"), k_key, k_start));
    fail(failures, "192.0.2.1", std::nullopt, 1);
    CHECK_FALSE(failures.may_try(address("192.0.2.1"), k_key, k_start));
    CHECK(failures.may_try(address("192.0.2.2"), k_key, k_start));
    CHECK(failures.may_try(address("192.0.2.1"), k_key, k_start + 1s));
    CHECK(failures.entries(k_start) == 1);
    CHECK(failures.entries(k_start + 1min) == 0);
}

TEST_CASE("failed_attempts: a key_id is counted per address", "[verification]")
{
    FailedAttempts failures{per_minute(60), per_minute(10)};
    fail(failures, "192.0.2.1", k_key, 10);
    CHECK_FALSE(failures.may_try(address("192.0.2.1"), k_key, k_start));
    CHECK(failures.may_try(address("192.0.2.1"), k_other, k_start));
    CHECK(failures.may_try(address("192.0.2.2"), k_key, k_start));
}

TEST_CASE("failed_attempts: IPv6 is counted by /64", "[verification]")
{
    FailedAttempts failures{per_minute(5), per_minute(5)};
    fail(failures, "2001:db8::1", std::nullopt, 5);
    CHECK_FALSE(failures.may_try(address("2001:db8::ffff:1"), std::nullopt, k_start));
    CHECK(failures.may_try(address("2001:db8:0:1::1"), std::nullopt, k_start));
}

TEST_CASE("failed_attempts: asking takes nothing", "[verification]")
{
    FailedAttempts failures{per_minute(1), per_minute(1)};
    for (int i = 0; i < 100; ++i)
        CHECK(failures.may_try(address("192.0.2.1"), k_key, k_start));
    CHECK(failures.entries(k_start) == 0);
}

TEST_CASE("failed_attempts: the table stays within its bound, and recent names stay in it", "[verification]")
{
    FailedAttempts failures{per_minute(60), per_minute(10), 1024};
    for (std::uint32_t i = 0; i < 100'000; ++i)
        failures.record_failure(Address::from_v4(0x0A000000u + i), k_key, k_start + std::chrono::microseconds{i});
    CHECK(failures.entries(k_start) <= 1024);
    CHECK(failures.entries(k_start) >= 900);

    for (int i = 0; i < 60; ++i)
        failures.record_failure(address("192.0.2.1"), std::nullopt, k_start + 1s);
    CHECK_FALSE(failures.may_try(address("192.0.2.1"), std::nullopt, k_start + 1s));
}

TEST_CASE("failed_attempts: look-ups beyond the gate are 200 a second for all", "[verification]")
{
    FailedAttempts failures{per_minute(60), per_minute(10)};
    int allowed = 0;
    for (int i = 0; i < 1000; ++i)
        allowed += failures.may_look_up(k_start) ? 1 : 0;
    CHECK(allowed == 200);
    CHECK_FALSE(failures.may_look_up(k_start + 4ms));
    CHECK(failures.may_look_up(k_start + 5ms));
}
