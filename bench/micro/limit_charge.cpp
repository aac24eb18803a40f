// Charging limits from memory, and writing the fields that tell of them: one bucket, a bucket and a quota, and
// a bucket out of a hundred thousand.
#include "adapters/local/rate_limiter.hpp"
#include "bench/micro/timing.hpp"
#include "limiting/rate_limit_fields.hpp"

#include <array>
#include <vector>

using namespace gw;

namespace {

// Grants everything: what is timed is memory.
class BottomlessStore final : public QuotaStore {
public:
    awaitable<result<Grant>> debit(const CounterId&, const QuotaWindow&, std::uint64_t, std::uint64_t wanted) override
    {
        Grant grant;
        grant.granted = wanted;
        grant.used = used_ += wanted;
        co_return grant;
    }
    awaitable<result<void>> give_back(const CounterId&, const QuotaWindow&, std::uint64_t) override
    {
        co_return result<void>{};
    }

private:
    std::uint64_t used_ = 0;
};

LimitPolicy bucket_policy()
{
    LimitPolicy policy;
    policy.name = "burst";
    policy.rate_count = 1'000'000'000;
    policy.rate_period = std::chrono::hours{1}; // an hour of room: asking reads the real clock, timing does not
    policy.burst = 1'000'000'000;
    return policy;
}

LimitPolicy quota_policy()
{
    LimitPolicy policy;
    policy.name = "day";
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = UINT64_MAX / 2;
    return policy;
}

CounterId id(std::uint64_t n)
{
    return {{1, 2}, {n * 0x9E3779B97F4A7C15u, n}};
}

} // namespace

int main()
{
    BottomlessStore store;
    SharedCounter debits;
    local::RateLimiter limiter{store, debits};
    const LimitPolicy burst = bucket_policy(), day = quota_policy();
    const MonoTime now = MonoTime::clock::now();
    const WallTime wall = wall_now();
    LimitAnswer answer;

    const TokenBucket empty;
    TokenBucket plain = empty;
    const BucketShape shape = BucketShape::of(burst);
    bench::time_operation("token bucket: arithmetic alone", [&](std::size_t n) {
        bench::keep(plain.try_take(shape, 1, now + Duration{static_cast<std::int64_t>(n)}));
    });

    const std::array<Charge, 2> charges{{{&burst, id(0)}, {&day, id(1)}}};
    const auto one = std::span{charges}.first(1);
    bench::time_operation("limiter: one bucket", [&](std::size_t n) {
        limiter.try_charge(one, 1, now + Duration{static_cast<std::int64_t>(n) * 100}, wall, answer);
        bench::require(answer.status == LimitAnswer::Status::admitted, "a charge was refused");
    });
    bench::time_operation("limiter: a bucket and a quota", [&](std::size_t n) {
        limiter.try_charge(charges, 1, now + Duration{static_cast<std::int64_t>(n) * 100}, wall, answer);
        if (answer.status == LimitAnswer::Status::ask) { // one in a thousand
            asio::io_context context{1};
            auto on_end = [](std::exception_ptr error) { bench::require(!error, "asking threw"); };
            asio::co_spawn(context.get_executor(), limiter.charge(charges, 1, answer), on_end);
            context.run();
        }
        bench::require(answer.status == LimitAnswer::Status::admitted, "a charge was refused");
    });

    std::vector<Charge> many;
    for (std::uint64_t n = 0; n < 100'000; ++n)
        many.push_back({&burst, id(n + 10)});
    for (const Charge& charge : many)
        limiter.try_charge({&charge, 1}, 1, now, wall, answer);
    bench::time_operation("limiter: one of 100,000 buckets", [&](std::size_t n) {
        limiter.try_charge({&many[n * 7919 % many.size()], 1}, 1, now, wall, answer);
    });

    bench::time_operation("rate-limit fields: two policies", [&](std::size_t) {
        RateLimitFields fields;
        fields.write(charges, answer, wall);
        bench::keep(fields.items);
    });
}
