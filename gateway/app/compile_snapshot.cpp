// See compile_snapshot.hpp.
#include "app/compile_snapshot.hpp"

namespace gw {

std::shared_ptr<const Snapshot> compile_snapshot(const Settings& settings)
{
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->routes = RouteTable::compile(compile_routes(settings));
    for (const PlanSettings& plan : settings.plans) {
        CompiledPlan compiled;
        for (const LimitPolicy& policy : plan.limits) {
            compiled.of_key.push_back(compile_policy(policy, "plan", plan.id));
            LimitPolicy shared = policy;
            if (shared.per == CountedPer::key)
                shared.per = CountedPer::tenant;
            compiled.of_tenant.push_back(compile_policy(shared, "tenant-plan", plan.id));
        }
        snapshot->plans.emplace(plan.id, std::move(compiled));
    }
    const GatewaySettings& gateway = settings.gateway;
    snapshot->deny_keys.insert(gateway.deny_keys.begin(), gateway.deny_keys.end());
    GatewayRules& rules = snapshot->rules;
    rules.head_bytes = gateway.limits.head_bytes;
    rules.head_fields = gateway.limits.head_fields;
    rules.head_timeout = gateway.timeouts.head;
    rules.body_idle = gateway.timeouts.body_idle;
    rules.keep_alive = gateway.timeouts.keep_alive;
    rules.trusted_proxies = gateway.trusted_proxies;
    rules.brand = settings.keys.brand;
    rules.legacy_rate_limit_headers = gateway.legacy_rate_limit_headers;
    return snapshot;
}

std::vector<UpstreamPool::Options> compile_upstreams(const Settings& settings)
{
    std::vector<UpstreamPool::Options> upstreams;
    for (const UpstreamSettings& upstream : settings.upstreams) {
        const UpstreamSettings::Target& target = upstream.targets.front();
        UpstreamPool::Options options;
        options.name = upstream.id;
        options.host = target.host;
        options.port = target.port;
        options.authority = target.host + ":" + std::to_string(target.port);
        options.connect = upstream.timeouts.connect;
        options.first_byte = upstream.timeouts.first_byte;
        options.idle = upstream.timeouts.idle;
        options.max_idle = upstream.keep_alive;
        upstreams.push_back(std::move(options));
    }
    return upstreams;
}

} // namespace gw
