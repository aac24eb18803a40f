// See authorize.hpp.
#include "request/authorize.hpp"

#include "domain/scope.hpp"

#include <algorithm>

namespace gw {

namespace {

bool holds_scopes(const KeyRecord& key, const Route& route) noexcept
{
    const auto held = [&key](const std::string& scope) { return any_grants(key.scopes, scope); };
    return std::all_of(route.scopes.begin(), route.scopes.end(), held) &&
           (route.any_scope.empty() || std::any_of(route.any_scope.begin(), route.any_scope.end(), held));
}

} // namespace

Verdict authorize(Exchange& x, WorkerMetrics& metrics)
{
    const Principal* caller = x.principal();
    if (caller == nullptr)
        return Verdict::pass; // the route does without
    const KeyRecord& key = caller->key;
    const Route& route = *x.route;
    const auto deny = [&](AuthDecision decision, Refusal refusal) {
        metrics.auth[static_cast<std::size_t>(decision)].add();
        return x.refuse(refusal);
    };
    if (!key.allowed_ips.empty() && !any_contains(key.allowed_ips, x.client))
        return deny(AuthDecision::ip_denied, Refusal::address_not_allowed);
    if (!route.tenants.empty() && std::find(route.tenants.begin(), route.tenants.end(), key.tenant.str()) == route.tenants.end())
        return deny(AuthDecision::tenant_denied, Refusal::tenant_not_allowed);
    if (std::find(route.environments.begin(), route.environments.end(), key.environment) == route.environments.end())
        return deny(AuthDecision::wrong_environment, Refusal::wrong_environment);
    if (!holds_scopes(key, route))
        return deny(AuthDecision::scope_denied, Refusal::insufficient_scope);
    return Verdict::pass;
}

} // namespace gw
