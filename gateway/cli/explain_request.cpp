// Walks a request through the stages in the order of request/handle, and notes what each one found.
#include "cli/explain_request.hpp"

#include "app/compile_snapshot.hpp"
#include "domain/scope.hpp"
#include "http1/target.hpp"
#include "request/authorize.hpp"
#include "request/exchange.hpp"
#include "settings/units.hpp"

#include <algorithm>
#include <array>

namespace gw::cli {

namespace {

http1::Method method_of(std::string_view text)
{
    using http1::Method;
    constexpr std::array<std::pair<std::string_view, Method>, 9> methods{{{"GET", Method::get},
                                                                          {"HEAD", Method::head},
                                                                          {"POST", Method::post},
                                                                          {"PUT", Method::put},
                                                                          {"DELETE", Method::delete_},
                                                                          {"PATCH", Method::patch},
                                                                          {"OPTIONS", Method::options},
                                                                          {"TRACE", Method::trace},
                                                                          {"CONNECT", Method::connect}}};
    for (const auto& [name, method] : methods)
        if (name == text)
            return method;
    return Method::other;
}

std::string amount_of(const LimitPolicy& policy)
{
    if (policy.kind == LimitPolicy::Kind::concurrency)
        return std::to_string(policy.concurrency) + " at once";
    if (policy.kind == LimitPolicy::Kind::quota)
        return format_quota(policy.quota, policy.quota_period);
    const auto period = std::chrono::duration_cast<std::chrono::milliseconds>(policy.rate_period);
    return format_rate(policy.rate_count, period) + ", burst " + std::to_string(policy.burst);
}

void add_limit(Explanation& out, const std::string& declared_in, const LimitPolicy& policy)
{
    ExplainedLimit limit;
    limit.declared_in = declared_in;
    limit.name = policy.name;
    limit.amount = amount_of(policy);
    limit.per = to_string(policy.per);
    limit.enforced = policy.enforce;
    out.limits.push_back(std::move(limit));
}

void add_limits(Explanation& out, const Snapshot& snapshot, const Route& route, const KeyRecord* caller)
{
    for (const CompiledPolicy& limit : route.limits)
        add_limit(out, "route " + route.id, limit.policy);
    if (caller == nullptr)
        return;
    for (const LimitPolicy& policy : caller->limits)
        add_limit(out, "key " + caller->id.str(), policy);
    const auto add_plan = [&](const std::optional<std::string>& id, const char* whose, auto member) {
        const auto plan = id ? snapshot.plans.find(*id) : snapshot.plans.end();
        if (plan == snapshot.plans.end())
            return;
        for (const CompiledPolicy& limit : plan->second.*member)
            add_limit(out, whose + *id, limit.policy);
    };
    add_plan(caller->plan, "plan ", &CompiledPlan::of_key);
    add_plan(caller->tenant_plan, "the tenant's plan ", &CompiledPlan::of_tenant);
}

void refuse(Explanation& out, Refusal why, std::string reason)
{
    out.refusal = why;
    out.reason = std::move(reason);
}

void describe_route(Explanation& out, const Settings& settings, const Route& route)
{
    out.route = route.id;
    out.route_path = route.path;
    out.route_host = route.host;
    out.auth = route.auth == RouteAuth::none       ? "none"
               : route.auth == RouteAuth::optional ? "optional"
                                                   : "required";
    out.scopes_needed = route.scopes;
    out.any_scope_needed = route.any_scope;
    for (const Environment environment : route.environments)
        out.environments.emplace_back(to_string(environment));
    if (route.upstream < settings.upstreams.size())
        out.upstream = settings.upstreams[route.upstream].id;
}

// What the verification ladder would say of this key's record. False: refused.
bool check_caller(Explanation& out, const Snapshot& snapshot, const KeyRecord& caller, WallTime now)
{
    if (snapshot.deny_keys.contains(caller.id))
        return refuse(out, Refusal::invalid_key, "The key is listed in gateway.deny_keys."), false;
    if (caller.management)
        return refuse(out, Refusal::invalid_key, "A management key is not accepted on the data path."), false;
    if (caller.status == KeyStatus::revoked || caller.status == KeyStatus::pending)
        return refuse(out, Refusal::invalid_key, "The key is revoked or was never finished."), false;
    if (caller.status == KeyStatus::disabled)
        return refuse(out, Refusal::key_disabled, "The key is disabled."), false;
    if (caller.tenant_suspended)
        return refuse(out, Refusal::key_disabled, "The key's tenant is suspended."), false;
    if (caller.is_expired(now))
        return refuse(out, Refusal::key_expired, "The key has expired."), false;
    return true;
}

const char* reason_of(Refusal refusal)
{
    switch (refusal) {
    case Refusal::insufficient_scope:
        return "The key lacks a scope that the route needs.";
    case Refusal::wrong_environment:
        return "The route is not open to keys of this environment.";
    case Refusal::tenant_not_allowed:
        return "The route is not open to the key's tenant.";
    case Refusal::address_not_allowed:
        return "The client's address is not on the key's allow-list.";
    default:
        return "Refused.";
    }
}

void check_rights(Explanation& out, const Route& route, const KeyRecord& caller, const Address& client)
{
    const auto lacks = [&](const std::string& scope) { return !any_grants(caller.scopes, scope); };
    out.scopes_held = caller.scopes;
    std::ranges::copy_if(route.scopes, std::back_inserter(out.scopes_missing), lacks);
    if (!route.any_scope.empty() && std::ranges::all_of(route.any_scope, lacks))
        out.scopes_missing.insert(out.scopes_missing.end(), route.any_scope.begin(), route.any_scope.end());

    WorkerMetrics uncounted{0};
    Exchange x;
    x.client = client;
    x.route = &route;
    x.caller.principal = std::make_shared<Principal>(caller);
    if (authorize(x, uncounted) == Verdict::refused)
        refuse(out, x.refusal, reason_of(x.refusal));
}

} // namespace

Explanation explain_request(const Settings& settings, const std::optional<KeyRecord>& caller,
                            const Address& client, std::string_view method, std::string_view url,
                            WallTime now)
{
    Explanation out;
    out.method = method;
    const auto snapshot = compile_snapshot(settings);
    std::vector<char> scratch(url.size() + 1);
    http1::Target target;
    const auto problem = http1::normalise_target(url, method == "OPTIONS", scratch, target);
    if (problem != http1::TargetError::none)
        return refuse(out, Refusal::ambiguous_target, http1::describe(problem)), out;
    out.path = target.path;

    const std::string_view host = http1::host_without_port(target.authority);
    const RouteMatch match = snapshot->routes.match(host, target.path, method_of(method), method);
    if (match.route == nullptr && match.allow != nullptr) {
        out.allow = *match.allow;
        return refuse(out, Refusal::method_not_allowed, "The path has routes for " + out.allow + " only."),
               out;
    }
    if (match.route == nullptr)
        return refuse(out, Refusal::no_route, "No route matches host and path."), out;

    const Route& route = *match.route;
    describe_route(out, settings, route);
    const bool identified = caller && route.auth != RouteAuth::none;
    add_limits(out, *snapshot, route, identified ? &*caller : nullptr);
    if (!caller && route.auth == RouteAuth::required)
        return refuse(out, Refusal::no_credential, "The route needs a key."), out;
    if (identified && check_caller(out, *snapshot, *caller, now))
        check_rights(out, route, *caller, client);
    if (out.admitted())
        out.reason = "Admitted, as long as the limits last; forwarded to upstream " + out.upstream + ".";
    return out;
}

} // namespace gw::cli
