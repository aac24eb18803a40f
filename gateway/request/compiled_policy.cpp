// A declared limit, made ready for the data path: its counter's identity, and its item of RateLimit-Policy as
// draft-ietf-httpapi-ratelimit-headers has it.
#include "request/route_table.hpp"

#include <algorithm>

namespace gw {
namespace {

// The time that an empty bucket takes to fill, in seconds, rounded up.
std::uint64_t fill_seconds(const LimitPolicy& policy)
{
    __extension__ using Wide = unsigned __int128;
    const Wide period = static_cast<std::uint64_t>(policy.rate_period.count());
    const Wide per_second = Wide{std::max<std::uint64_t>(1, policy.rate_count)} * 1'000'000'000u;
    const Wide whole = (Wide{policy.burst} * period + per_second - 1) / per_second;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(whole));
}

std::uint64_t nominal_seconds(QuotaPeriod period)
{
    switch (period) {
    case QuotaPeriod::hour:
        return 3600;
    case QuotaPeriod::day:
        return 86400;
    case QuotaPeriod::month:
        return 30 * 86400;
    }
    return 1;
}

} // namespace

CompiledPolicy compile_policy(const LimitPolicy& policy, std::string_view declared_in,
                              std::string_view declared_id)
{
    CompiledPolicy compiled;
    compiled.policy = policy;
    compiled.id = identity_of({declared_in, declared_id, policy.name});
    if (!policy.enforce)
        return compiled;
    if (policy.kind == LimitPolicy::Kind::concurrency) {
        compiled.policy_item =
            '"' + policy.name + "\";q=" + std::to_string(policy.concurrency) + ";qu=\"concurrent-requests\"";
        return compiled;
    }
    const bool quota = policy.kind == LimitPolicy::Kind::quota;
    compiled.policy_item =
        '"' + policy.name + "\";q=" + std::to_string(quota ? policy.quota : policy.burst) +
        ";w=" + std::to_string(quota ? nominal_seconds(policy.quota_period) : fill_seconds(policy));
    return compiled;
}

} // namespace gw
