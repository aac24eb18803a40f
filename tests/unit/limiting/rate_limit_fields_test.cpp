#include "limiting/rate_limit_fields.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace gw;
using namespace std::chrono_literals;

namespace {

constexpr WallTime k_now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 23h + 300ms};
constexpr std::int64_t k_now_seconds = std::chrono::floor<std::chrono::seconds>(k_now).time_since_epoch().count();

LimitPolicy bucket(std::string name, std::uint64_t rate, Duration period, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.rate_count = rate;
    policy.rate_period = period;
    policy.burst = burst;
    return policy;
}

LimitPolicy quota(std::string name, std::uint64_t amount, QuotaPeriod period)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = amount;
    policy.quota_period = period;
    return policy;
}

LimitAnswer answer_of(std::vector<LimitAnswer::State> states)
{
    LimitAnswer answer;
    std::copy(states.begin(), states.end(), answer.states.begin());
    return answer;
}

} // namespace

TEST_CASE("rate-limit fields: bucket and quota are written as the draft has them", "[limiting]")
{
    const LimitPolicy burst = bucket("burst", 60, 1min, 20);
    const LimitPolicy day = quota("day", 5000, QuotaPeriod::day);
    const std::array<Charge, 2> charges{{{&burst, {}}, {&day, {}}}};
    RateLimitFields fields;
    fields.write(charges, answer_of({{19, 19, false}, {4711, 3600, false}}), k_now);

    CHECK(fields.any());
    CHECK(fields.policy_items == "\"burst\";q=20;w=20, \"day\";q=5000;w=86400");
    CHECK(fields.items == "\"burst\";r=19;t=19, \"day\";r=4711;t=3600");
    CHECK(fields.limit == 20);
    CHECK(fields.remaining == 19);
    CHECK(fields.reset_epoch_seconds == k_now_seconds + 1 + 19);
}

TEST_CASE("rate-limit fields: requests at once have the draft's unit, no time, and no place in the trio", "[limiting]")
{
    LimitPolicy slots;
    slots.name = "at-once";
    slots.kind = LimitPolicy::Kind::concurrency;
    slots.concurrency = 5;
    const LimitPolicy burst = bucket("burst", 60, 1min, 20);
    const std::array<Charge, 2> charges{{{&slots, {}}, {&burst, {}}}};
    RateLimitFields fields;
    fields.write(charges, answer_of({{0, 0, true}, {19, 19, false}}), k_now);
    CHECK(fields.policy_items == "\"at-once\";q=5;qu=\"concurrent-requests\", \"burst\";q=20;w=20");
    CHECK(fields.items == "\"at-once\";r=0, \"burst\";r=19;t=19");
    CHECK(fields.limit == 20);
    RateLimitFields alone;
    alone.write({charges.data(), 1}, answer_of({{4, 0, false}}), k_now);
    CHECK(alone.any());
    CHECK(alone.limit == 0);
}

TEST_CASE("rate-limit fields: the legacy reset of a quota is its window's end", "[limiting]")
{
    const LimitPolicy hour = quota("hour", 10, QuotaPeriod::hour);
    const Charge charge{&hour, {}};
    RateLimitFields fields;
    fields.write({&charge, 1}, answer_of({{3, 3600, false}}), k_now); // 3599.7 s, rounded up
    CHECK(fields.reset_epoch_seconds == k_now_seconds + 3600);
    CHECK(fields.policy_items == "\"hour\";q=10;w=3600");
}

TEST_CASE("rate-limit fields: a policy that refused is the tightest", "[limiting]")
{
    const LimitPolicy small = bucket("small", 1, 1s, 1);
    const LimitPolicy large = bucket("large", 100, 1s, 100);
    const std::array<Charge, 2> charges{{{&small, {}}, {&large, {}}}};
    RateLimitFields fields;
    // The request costs 10: the small one was not charged, the large one has only 5.
    fields.write(charges, answer_of({{1, 1, false}, {5, 1, true}}), k_now);
    CHECK(fields.limit == 100);
    CHECK(fields.remaining == 5);
}

TEST_CASE("rate-limit fields: of equals the one that resets last is the tightest", "[limiting]")
{
    const LimitPolicy soon = bucket("soon", 1, 1s, 3);
    const LimitPolicy late = quota("late", 4, QuotaPeriod::day);
    const std::array<Charge, 2> charges{{{&soon, {}}, {&late, {}}}};
    RateLimitFields fields;
    fields.write(charges, answer_of({{0, 1, true}, {0, 3600, true}}), k_now);
    CHECK(fields.limit == 4);
    CHECK(fields.reset_epoch_seconds == k_now_seconds + 3600);
}

TEST_CASE("rate-limit fields: policies in shadow mode are not shown", "[limiting]")
{
    LimitPolicy shadow = bucket("shadow", 1, 1s, 1);
    shadow.enforce = false;
    const LimitPolicy burst = bucket("burst", 1, 1s, 9);
    const std::array<Charge, 2> charges{{{&shadow, {}}, {&burst, {}}}};
    RateLimitFields fields;
    fields.write(charges, answer_of({{0, 1, true}, {8, 8, false}}), k_now);
    CHECK(fields.policy_items == "\"burst\";q=9;w=9");
    CHECK(fields.items == "\"burst\";r=8;t=8");
    CHECK(fields.limit == 9);

    fields.write({charges.data(), 1}, answer_of({{0, 1, true}}), k_now);
    CHECK_FALSE(fields.any());
    CHECK(fields.policy_items.empty());
}

TEST_CASE("rate-limit fields: names are structured-field strings and integers have at most 15 digits", "[limiting]")
{
    const LimitPolicy odd = quota("a\"b\\c\n\xC3\xBC", UINT64_MAX, QuotaPeriod::hour);
    const Charge charge{&odd, {}};
    RateLimitFields fields;
    fields.write({&charge, 1}, answer_of({{UINT64_MAX, 5, false}}), k_now);
    CHECK(fields.policy_items == "\"a\\\"b\\\\c???\";q=999999999999999;w=3600");
    CHECK(fields.items == "\"a\\\"b\\\\c???\";r=999999999999999;t=5");
}

TEST_CASE("rate-limit fields: what finds no room is left out whole, in both lists", "[limiting]")
{
    std::vector<LimitPolicy> policies;
    for (int i = 0; i < 24; ++i)
        policies.push_back(bucket("policy-" + std::to_string(i) + std::string(60, 'x'), 1, 1s, 100 - static_cast<unsigned>(i)));
    std::vector<Charge> charges;
    for (const LimitPolicy& policy : policies)
        charges.push_back({&policy, {}});
    LimitAnswer answer;
    for (std::size_t i = 0; i < 24; ++i)
        answer.states[i] = {99 - i, 1, false};
    RateLimitFields fields;
    fields.write(charges, answer, k_now);

    const auto items_in = [](std::string_view list, std::string_view parameter) {
        std::size_t n = 0;
        for (std::size_t at = list.find(parameter); at != std::string_view::npos; at = list.find(parameter, at + 1))
            ++n;
        return n;
    };
    CHECK(items_in(fields.policy_items, ";q=") > 8);
    CHECK(items_in(fields.policy_items, ";q=") == items_in(fields.items, ";r="));
    CHECK(fields.policy_items.size() <= 1024);
    CHECK(fields.remaining == 76); // also of one that is not shown
}

TEST_CASE("violated policies: the enforced ones that said no are named", "[limiting]")
{
    LimitPolicy shadow = bucket("shadow", 1, 1s, 1);
    shadow.enforce = false;
    const LimitPolicy a = bucket("a", 1, 1s, 1), b = bucket("b", 1, 1s, 1), c = bucket("c", 1, 1s, 1);
    const std::array<Charge, 4> charges{{{&a, {}}, {&shadow, {}}, {&b, {}}, {&c, {}}}};
    const LimitAnswer answer = answer_of({{0, 1, true}, {0, 1, true}, {1, 1, false}, {0, 1, true}});
    std::array<char, 64> buffer;
    CHECK(write_violated_policies(charges, answer, buffer) == "\"a\",\"c\"");
    CHECK(write_violated_policies(charges, answer, std::span{buffer}.first(4)) == "\"a\"");
}
