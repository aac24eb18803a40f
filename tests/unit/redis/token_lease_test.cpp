#include "adapters/redis/token_lease.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace gw::redis;
using namespace std::chrono_literals;
using Verdict = TokenLease::Verdict;

namespace {

const MonoTime k_start = MonoTime{} + 1000h;

LimitPolicy bucket(std::uint64_t rate, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.rate_count = rate;
    policy.rate_period = 1s;
    policy.burst = burst;
    return policy;
}

LimitPolicy quota(std::uint64_t amount)
{
    LimitPolicy policy;
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = amount;
    return policy;
}

CounterReply lends(std::uint64_t tokens, std::int64_t level)
{
    CounterReply reply;
    reply.fits = true;
    reply.lent = tokens;
    reply.level = level;
    reply.extra = 1;
    reply.holders = 1;
    return reply;
}

// A lease of `tokens`, asked for at `sent` and answered at `answered`.
void grant(TokenLease& lease, const LimitPolicy& policy, std::uint64_t tokens, MonoTime sent, MonoTime answered)
{
    CounterAsk asked;
    lease.ask(asked, policy, 0, tokens, sent);
    asked.id = "h.1";
    lease.answered(policy, asked, lends(tokens, 100), sent, answered);
}

} // namespace

TEST_CASE("token lease: only what is quick and large enough is lent", "[redis]")
{
    CHECK(is_lendable(bucket(500, 500)));
    CHECK_FALSE(is_lendable(bucket(500, 10)));
    CHECK_FALSE(is_lendable(bucket(1, 500)));
    CHECK(is_lendable(quota(1000)));
    LimitPolicy exact = bucket(500, 500);
    exact.exact = true;
    CHECK_FALSE(is_lendable(exact));
}

TEST_CASE("token lease: spends what was lent, and asks when it is gone", "[redis]")
{
    const LimitPolicy policy = bucket(500, 500);
    TokenLease lease;
    CHECK(lease.check(1, k_start) == Verdict::ask);
    grant(lease, policy, 10, k_start, k_start + 1ms);
    for (int i = 0; i < 10; ++i) {
        REQUIRE(lease.check(1, k_start + 2ms) == Verdict::yes);
        lease.take(1);
    }
    CHECK(lease.check(1, k_start + 2ms) == Verdict::ask);
}

TEST_CASE("token lease: ends one second after it was asked for, however late the answer", "[redis]")
{
    const LimitPolicy policy = bucket(500, 500);
    TokenLease lease;
    grant(lease, policy, 10, k_start, k_start + 900ms);
    CHECK(lease.check(1, k_start + 999ms) == Verdict::yes);
    CHECK(lease.check(1, k_start + 1000ms) == Verdict::ask);
    CHECK(lease.tokens() == 0);
    TokenLease late;
    grant(late, policy, 10, k_start, k_start + 1500ms);
    CHECK(late.check(1, k_start + 1500ms) == Verdict::ask);
}

TEST_CASE("token lease: a refusal holds until the time that Redis named, for that cost and more", "[redis]")
{
    LimitPolicy policy = bucket(1, 5);
    TokenLease lease;
    CounterAsk asked;
    lease.ask(asked, policy, 3, 0, k_start);
    CounterReply reply;
    reply.wait = 2s;
    reply.level = 1;
    lease.answered(policy, asked, reply, k_start, k_start);
    CHECK(lease.check(3, k_start + 1999ms) == Verdict::no);
    CHECK(lease.check(4, k_start + 1999ms) == Verdict::no);
    CHECK(lease.check(1, k_start + 1ms) == Verdict::ask);
    CHECK(lease.check(3, k_start + 2s) == Verdict::ask);
}

TEST_CASE("token lease: asks for about what it will spend, and never for more than a tenth of the burst", "[redis]")
{
    const LimitPolicy policy = bucket(500, 500);
    TokenLease lease;
    CounterAsk first;
    lease.ask(first, policy, 1, 0, k_start);
    CHECK(first.want == 0); // one request is no reason for a lease
    for (int ms = 0; ms < 500; ms += 10) { // 100 a second
        lease.spent(1);
        CounterAsk asked;
        lease.ask(asked, policy, 1, 0, k_start + std::chrono::milliseconds{ms});
    }
    CounterAsk asked;
    lease.ask(asked, policy, 1, 0, k_start + 500ms);
    CHECK((asked.want >= 15 && asked.want <= 40));
    CounterAsk crowded;
    lease.ask(crowded, policy, 1, 400, k_start + 510ms);
    CHECK(crowded.more == 400); // those that wait are charged in the same call
    CHECK(crowded.want <= 50);
}

TEST_CASE("token lease: what is not needed goes back with the renewal, and is not spent meanwhile", "[redis]")
{
    const LimitPolicy policy = bucket(500, 500);
    TokenLease lease;
    grant(lease, policy, 40, k_start, k_start);
    CHECK_FALSE(lease.is_ending(policy, k_start + 500ms));
    REQUIRE(lease.is_ending(policy, k_start + 700ms));
    CounterAsk asked;
    lease.ask(asked, policy, 0, 0, k_start + 5s / 5); // nobody has asked for a second
    CHECK(asked.lease == "h.1");
    CHECK(asked.give == 40);
    CHECK(asked.keep == 0);
    CHECK(lease.check(1, k_start + 750ms) == Verdict::ask);
}

TEST_CASE("token lease: nearly spent is low, unless there was nothing more to be had", "[redis]")
{
    const LimitPolicy policy = bucket(500, 500);
    TokenLease lease;
    grant(lease, policy, 10, k_start, k_start);
    lease.take(7);
    CHECK_FALSE(lease.is_low(k_start));
    lease.take(1);
    CHECK(lease.is_low(k_start));
    CounterAsk asked;
    lease.ask(asked, policy, 0, 0, k_start);
    CounterReply none = lends(0, 0);
    asked.id = "h.2";
    lease.answered(policy, asked, none, k_start, k_start);
    CHECK_FALSE(lease.is_low(k_start));
}

TEST_CASE("token lease: a quota's tokens last until its window ends", "[redis]")
{
    const LimitPolicy policy = quota(1000);
    TokenLease lease;
    CounterAsk asked;
    lease.ask(asked, policy, 0, 5, k_start);
    CHECK(asked.want == 5);
    CounterReply reply = lends(5, 900);
    reply.extra = 86'400;
    reply.wait = 60s;
    lease.answered(policy, asked, reply, k_start, k_start);
    CHECK(lease.remaining(policy, k_start) == 905);
    CHECK(lease.check(5, k_start + 59s) == Verdict::yes);
    CHECK(lease.wait(policy, k_start + 20s) == 40s);
    CHECK(lease.check(1, k_start + 60s) == Verdict::ask);
    CHECK(lease.tokens() == 0);
}

TEST_CASE("token lease: put_back returns to the lease that it came from, and to no other", "[redis]")
{
    const LimitPolicy policy = bucket(500, 500);
    TokenLease lease;
    grant(lease, policy, 10, k_start, k_start);
    const std::uint64_t grant_number = lease.grant();
    lease.take(3);
    lease.put_back(3, grant_number);
    CHECK(lease.tokens() == 10);
    lease.take(3);
    grant(lease, policy, 10, k_start + 10ms, k_start + 10ms);
    const std::uint64_t held = lease.tokens();
    lease.put_back(3, grant_number);
    CHECK(lease.tokens() == held);
}
