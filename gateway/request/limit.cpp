// See limit.hpp.
#include "request/limit.hpp"

#include "ports/rate_limiter.hpp"

namespace gw {

namespace {

std::uint64_t mix(std::string_view text, std::uint64_t seed) noexcept
{
    std::uint64_t hash = seed;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return hash;
}

// Which counter of the policy this request goes to. Partitions of an address are kept apart by tenant, since a
// counter's identity names the tenant.
Identity128 partition_of(CountedPer per, const Exchange& x) noexcept
{
    const Principal* caller = x.principal();
    switch (per) {
    case CountedPer::key:
        if (caller != nullptr)
            return caller->key_partition;
        break; // without a key, strangers are counted by address
    case CountedPer::owner:
        if (caller != nullptr)
            return caller->owner_partition;
        break;
    case CountedPer::tenant:
        if (caller != nullptr)
            return caller->tenant_partition;
        break;
    case CountedPer::route:
        return {0, 1};
    case CountedPer::ip:
        break;
    }
    const Address from = x.client.counting_prefix();
    Identity128 id;
    __builtin_memcpy(&id.high, from.bytes().data(), 8);
    __builtin_memcpy(&id.low, from.bytes().data() + 8, 8);
    if (caller != nullptr) {
        id.high ^= caller->tenant_partition.high;
        id.low ^= caller->tenant_partition.low;
    }
    return id;
}

// Of a tenant's counters all but those that tenants share (a route's own) can be charged in one step.
std::uint64_t slot_of(const LimitPolicy& policy, const Exchange& x, const CounterId& counter) noexcept
{
    const Principal* caller = x.principal();
    if (caller != nullptr && policy.per != CountedPer::route)
        return caller->tenant_partition.high ^ caller->tenant_partition.low;
    return counter.policy.low ^ counter.partition.high ^ counter.partition.low;
}

void add(Exchange& x, const LimitPolicy& policy, const Identity128& id) noexcept
{
    if (x.charge_count == x.charges.size())
        return; // settings and the key service allow fewer
    Charge& charge = x.charges[x.charge_count++];
    charge.policy = &policy;
    charge.counter = CounterId{id, partition_of(policy.per, x)};
    charge.slot = slot_of(policy, x, charge.counter);
}

void add_plan(Exchange& x, const Snapshot& snapshot, const std::optional<std::string>& plan, bool of_tenant)
{
    if (!plan)
        return;
    const auto found = snapshot.plans.find(*plan);
    if (found == snapshot.plans.end())
        return; // a plan that the configuration no longer has limits nothing; `check` says so
    for (const CompiledPolicy& policy : of_tenant ? found->second.of_tenant : found->second.of_key)
        add(x, policy.policy, policy.id);
}

} // namespace

Verdict judge_limits(Exchange& x, WorkerMetrics& metrics)
{
    x.limited = true;
    if (x.limits.shadow_violation)
        metrics.limited_shadow.add();
    switch (x.limits.status) {
    case LimitAnswer::Status::admitted:
        return Verdict::admitted;
    case LimitAnswer::Status::refused:
        metrics.limited.add();
        return x.refuse(Refusal::over_limit);
    case LimitAnswer::Status::ask:
        x.limited = false;
        metrics.limiter_asks.add();
        return Verdict::ask_the_stores;
    case LimitAnswer::Status::unreachable:
        break;
    }
    x.limited = false;
    return x.refuse(Refusal::limiter_unavailable);
}

Verdict limit(Exchange& x, const Snapshot& snapshot, RateLimiter& limiter, WorkerMetrics& metrics)
{
    if (const Principal* caller = x.principal()) {
        for (const LimitPolicy& own : caller->key.limits) {
            const Identity128 id{caller->key_partition.high ^ mix(own.name, 0xCBF29CE484222325u),
                                 caller->key_partition.low ^ mix(own.name, 0x84222325CBF29CE4u)};
            add(x, own, id);
        }
        add_plan(x, snapshot, caller->key.plan, false);
        add_plan(x, snapshot, caller->key.tenant_plan, true);
    }
    for (const CompiledPolicy& policy : x.route->limits)
        add(x, policy.policy, policy.id);
    if (x.charge_count == 0)
        return Verdict::admitted;
    limiter.try_charge(x.charged(), x.route->cost, x.started, x.wall, x.limits);
    if (x.limits.status != LimitAnswer::Status::ask)
        metrics.limit_time.observe(0); // from memory: far below the first bound, and not worth two looks at the clock
    return judge_limits(x, metrics);
}

} // namespace gw
