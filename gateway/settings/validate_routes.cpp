// Plans and routes held against each other and against what they name.
#include "settings/validate_routes.hpp"

#include "domain/path_pattern.hpp"
#include "settings/suggest.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace gw {
namespace {

constexpr std::size_t k_most_limits = 8;

std::string item(const std::string& list, std::size_t index)
{
    return list + '[' + std::to_string(index) + ']';
}

std::string quoted(std::string_view text)
{
    return '`' + std::string{text} + '`';
}

std::string route_path(std::size_t index)
{
    return item("routes", index);
}

template <class Range, class Name>
std::vector<std::string_view> names_of(const Range& range, Name name)
{
    std::vector<std::string_view> names;
    for (const auto& element : range)
        names.push_back(name(element));
    return names;
}

// What load could not read: a bucket without a rate, a quota of nothing.
bool is_readable(const LimitPolicy& limit)
{
    switch (limit.kind) {
    case LimitPolicy::Kind::bucket:
        return limit.rate_count > 0;
    case LimitPolicy::Kind::quota:
        return limit.quota > 0;
    case LimitPolicy::Kind::concurrency:
        break;
    }
    return limit.concurrency > 0;
}

// The time an empty bucket takes to fill, in seconds.
double fill_seconds(const LimitPolicy& limit)
{
    return static_cast<double>(limit.burst) * std::chrono::duration<double>(limit.rate_period).count() /
           static_cast<double>(limit.rate_count);
}

// The most that one request may cost.
std::uint64_t capacity(const LimitPolicy& limit)
{
    switch (limit.kind) {
    case LimitPolicy::Kind::bucket:
        return limit.burst;
    case LimitPolicy::Kind::quota:
        return limit.quota;
    case LimitPolicy::Kind::concurrency:
        break;
    }
    return UINT64_MAX; // a request takes one slot, whatever it costs
}

void validate_limits(const std::vector<LimitPolicy>& limits, const std::string& path, Findings& findings)
{
    constexpr double k_longest_fill = 366.0 * 86'400;
    if (limits.size() > k_most_limits)
        findings.error(path, "has " + std::to_string(limits.size()) +
                                 " limits; at most 8 are charged for a request");
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        const LimitPolicy& limit = limits[i];
        if (!limit.name.empty() && !names.insert(limit.name).second)
            findings.error(item(path, i) + ".name",
                           quoted(limit.name) + " names another limit of this list too");
        if (is_readable(limit) && limit.kind == LimitPolicy::Kind::bucket &&
            fill_seconds(limit) > k_longest_fill)
            findings.error(item(path, i),
                           "a bucket of this burst takes more than a year to fill; raise the rate, "
                           "lower the burst, or write a quota");
    }
}

class RouteRules {
public:
    RouteRules(const Settings& settings, Findings& findings) : settings_(settings), findings_(findings) {}

    void check(std::size_t index)
    {
        const RouteSettings& route = settings_.routes[index];
        const std::string path = route_path(index);
        check_id(route, path, index);
        check_upstream(route, path);
        check_scopes(route.scopes, path + ".scopes");
        check_scopes(route.any_scope, path + ".any_scope");
        check_access(route, path);
        if (route.credentials)
            validate_credentials(*route.credentials, path + ".credentials", findings_);
        validate_limits(route.limits, path + ".limits", findings_);
        check_cost(route, path);
    }

private:
    void check_id(const RouteSettings& route, const std::string& path, std::size_t index)
    {
        if (route.id.empty())
            return;
        const auto [first, is_new] = ids_.emplace(route.id, index);
        if (!is_new)
            findings_.error(path + ".id",
                            quoted(route.id) + " is the id of " + route_path(first->second) + " too");
    }

    void check_upstream(const RouteSettings& route, const std::string& path)
    {
        const auto names =
            names_of(settings_.upstreams, [](const auto& u) -> std::string_view { return u.id; });
        if (!route.upstream.empty() && std::find(names.begin(), names.end(), route.upstream) == names.end())
            findings_.error(path + ".upstream", "there is no upstream " + quoted(route.upstream) +
                                                    did_you_mean(route.upstream, names));
    }

    void check_scopes(const std::vector<std::string>& scopes, const std::string& path)
    {
        const auto names =
            names_of(settings_.scopes, [](const auto& s) -> std::string_view { return s.first; });
        for (std::size_t i = 0; i < scopes.size(); ++i) {
            const std::string& scope = scopes[i];
            const std::string at = path + "[" + std::to_string(i) + "]";
            if (scope.starts_with("platform:"))
                findings_.error(at, quoted(scope) + ": management keys are refused on every route");
            else if (!settings_.scopes.contains(scope))
                findings_.error(at, quoted(scope) + " is not declared under `scopes`" +
                                          did_you_mean(scope, names));
        }
    }

    void check_access(const RouteSettings& route, const std::string& path)
    {
        if (route.auth == AuthMode::none) {
            check_open(route, path);
            return;
        }
        if (route.environments.empty() && settings_.marks.contains(path + ".environments"))
            findings_.error(path + ".environments", "no environment: no key could use this route");
        if (route.auth == AuthMode::required && route.scopes.empty() && route.any_scope.empty())
            findings_.warn(path, "asks for no scopes: every key of the right environment may use it");
    }

    // What needs to know the caller cannot stand beside `auth: none`.
    void check_open(const RouteSettings& route, const std::string& path)
    {
        findings_.warn(path + ".auth", "open to everyone: no key is asked for");
        if (!route.scopes.empty() || !route.any_scope.empty())
            findings_.error(path + (route.scopes.empty() ? ".any_scope" : ".scopes"),
                            "scopes are never checked beside `auth: none`");
        if (!route.tenants.empty())
            findings_.error(path + ".tenants", "tenants are never checked beside `auth: none`");
        for (std::size_t i = 0; i < route.limits.size(); ++i)
            if (route.limits[i].per != CountedPer::ip && route.limits[i].per != CountedPer::route)
                findings_.error(item(path + ".limits", i),
                                "counted per " + std::string{to_string(route.limits[i].per)} +
                                    ", which nobody has beside `auth: none`; count per ip or route");
    }

    void check_cost(const RouteSettings& route, const std::string& path)
    {
        const auto is_too_dear = [&route](const LimitPolicy& limit) {
            return limit.enforce && is_readable(limit) && route.cost > capacity(limit);
        };
        for (std::size_t i = 0; i < route.limits.size(); ++i)
            if (is_too_dear(route.limits[i]))
                findings_.error(item(path + ".limits", i),
                                "can never admit a request of cost " + std::to_string(route.cost) +
                                    "; it holds at most " + std::to_string(capacity(route.limits[i])));
        for (const PlanSettings& plan : settings_.plans)
            if (route.auth != AuthMode::none &&
                std::any_of(plan.limits.begin(), plan.limits.end(), is_too_dear))
                findings_.warn(path + ".cost", "more than a limit of the plan " + quoted(plan.id) +
                                                   " holds: its keys can never use this route");
    }

    const Settings& settings_;
    Findings& findings_;
    std::map<std::string_view, std::size_t> ids_;
};

// Which routes stand on one host, with their patterns.
struct HostRoutes {
    std::vector<std::size_t> routes;
    std::vector<PathPattern> patterns;
};

std::string common_methods(const RouteSettings& a, const RouteSettings& b)
{
    if (a.methods.empty() || b.methods.empty())
        return a.methods.empty() && b.methods.empty() ? "every method"
                                                      : (a.methods.empty() ? b : a).methods.front();
    for (const std::string& method : a.methods)
        if (std::find(b.methods.begin(), b.methods.end(), method) != b.methods.end())
            return method;
    return {};
}

void check_precedence(const Settings& settings, const HostRoutes& host, Findings& findings)
{
    const auto name = [&settings](std::size_t route) {
        return settings.routes[route].id.empty() ? route_path(route)
                                                 : "the route " + quoted(settings.routes[route].id);
    };
    for (std::size_t i = 0; i < host.routes.size(); ++i) {
        const std::string path = route_path(host.routes[i]) + ".match.path";
        for (std::size_t j = 0; j < i; ++j) {
            const std::string methods =
                host.patterns[i].ties_with(host.patterns[j])
                    ? common_methods(settings.routes[host.routes[i]], settings.routes[host.routes[j]])
                    : std::string{};
            if (!methods.empty())
                findings.error(path, "ties with " + name(host.routes[j]) +
                                         ": the same host and path, and both take " + methods);
        }
        std::size_t winner = 0;
        if (is_shadowed(host.patterns, i, winner))
            findings.warn(path, "never reached: " + name(host.routes[winner]) + " goes before it");
    }
}

} // namespace

void validate_credentials(const std::vector<CredentialSource>& sources, const std::string& path,
                          Findings& findings)
{
    if (sources.empty())
        findings.error(path, "no credential source: no caller could present a key");
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (std::find(sources.begin(), sources.begin() + static_cast<std::ptrdiff_t>(i), sources[i]) !=
            sources.begin() + static_cast<std::ptrdiff_t>(i))
            findings.error(path, "the same source twice");
        if (sources[i].kind == CredentialSource::Kind::query)
            findings.warn(path, "keys in the query end up in logs, histories and Referer fields");
    }
}

void validate_plans(const Settings& settings, Findings& findings)
{
    for (const PlanSettings& plan : settings.plans)
        validate_limits(plan.limits, "plans." + plan.id + ".limits", findings);
}

void validate_routes(const Settings& settings, Findings& findings)
{
    if (settings.routes.empty() && !settings.marks.contains("routes"))
        findings.warn("routes", "no routes: every request is answered with 404");
    RouteRules rules{settings, findings};
    std::map<std::string_view, HostRoutes> hosts;
    for (std::size_t i = 0; i < settings.routes.size(); ++i) {
        rules.check(i);
        const RouteSettings& route = settings.routes[i];
        if (auto pattern = PathPattern::parse(route.path)) {
            hosts[route.host].routes.push_back(i);
            hosts[route.host].patterns.push_back(std::move(*pattern));
        }
    }
    for (const auto& [name, host] : hosts)
        check_precedence(settings, host, findings);
}

} // namespace gw
