// Reading routes and what they name. Whether the names exist is settings/validate's.
#include "settings/load_routes.hpp"

#include "domain/path_pattern.hpp"
#include "domain/scope.hpp"
#include "settings/load_fields.hpp"
#include "settings/load_limits.hpp"

#include <algorithm>

namespace gw {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::uint64_t k_tebibyte = 1ull << 40;
constexpr std::string_view k_identifier_rule = " is not an id: [A-Za-z0-9][A-Za-z0-9._-]{0,63}";

constexpr Choices<AuthMode, 3> k_auth{
    {{"required", AuthMode::required}, {"optional", AuthMode::optional}, {"none", AuthMode::none}}};
constexpr Choices<Environment, 2> k_environments{{{"live", Environment::live}, {"test", Environment::test}}};
// TRACE and CONNECT are never forwarded.
constexpr Choices<std::string_view, 7> k_methods{{{"GET", "GET"},
                                                  {"HEAD", "HEAD"},
                                                  {"POST", "POST"},
                                                  {"PUT", "PUT"},
                                                  {"DELETE", "DELETE"},
                                                  {"PATCH", "PATCH"},
                                                  {"OPTIONS", "OPTIONS"}}};

std::optional<std::string> read_id(const Value& value)
{
    auto text = read_text(value);
    if (!text)
        return std::nullopt;
    if (is_identifier(text->value))
        return std::move(text->value);
    value.error(text->shown + std::string{k_identifier_rule});
    return std::nullopt;
}

std::optional<std::string> read_scope(const Value& value)
{
    auto text = read_text(value);
    if (!text)
        return std::nullopt;
    if (is_valid_scope(text->value))
        return std::move(text->value);
    value.error(text->shown + " is not a scope, such as orders:read (no wildcard)");
    return std::nullopt;
}

std::optional<std::string> read_tenant(const Value& value)
{
    auto text = read_text(value);
    if (!text)
        return std::nullopt;
    if (TenantId::parse(text->value))
        return std::move(text->value);
    value.error(text->shown + " is not a tenant: [a-z0-9-]{1,32}");
    return std::nullopt;
}

std::optional<std::string> read_method(const Value& value)
{
    const auto method = read_choice(value, k_methods);
    return method ? std::optional<std::string>{*method} : std::nullopt;
}

std::optional<Environment> read_environment(const Value& value)
{
    return read_choice(value, k_environments);
}

// A list in which nothing stands twice; `out` keeps its default if the key is missing. False if part of it is
// wrong.
template <class T, class ReadItem>
bool read_set(const Mapping& owner, std::string_view key, std::vector<T>& out, ReadItem read_item)
{
    const auto list = owner.find(key);
    const auto items = list ? read_list(*list) : std::nullopt;
    if (!items)
        return !list;
    std::vector<T> seen;
    for (const Value& item : *items) {
        const std::optional<T> read = read_item(item);
        if (read && std::find(seen.begin(), seen.end(), *read) != seen.end())
            item.error("stands twice in this list");
        else if (read)
            seen.push_back(*read);
    }
    out = std::move(seen);
    return out.size() == items->size();
}

void read_path(const Mapping& match, std::string& out)
{
    const auto value = match.require("path", "path: /v1/orders/**");
    auto text = value ? read_text(*value) : std::nullopt;
    if (!text)
        return;
    if (const auto pattern = PathPattern::parse(text->value))
        out = std::move(text->value);
    else
        value->error(text->shown + ' ' + pattern.error());
}

void read_match(const Mapping& route, RouteSettings& out)
{
    const auto value = route.require("match", "match: { path: /v1/orders/** }");
    if (!value)
        return;
    const Mapping match{*value};
    const auto host = match.find("host", Mapping::Null::as_absent);
    const auto name = host ? read_route_host(*host) : std::optional<std::string>{""};
    bool methods_hold = read_set(match, "methods", out.methods, read_method);
    if (methods_hold && out.methods.empty() && match.find("methods")) {
        match.find("methods")->error("names no method; leave the key out for every method");
        methods_hold = false;
    }
    read_path(match, out.path);
    out.host = name.value_or("");
    // Without its host or methods the route would seem to tie with others: without a path it is compared with
    // none.
    if (!name || !methods_hold)
        out.path.clear();
}

RouteSettings read_route(const Mapping& route)
{
    RouteSettings out;
    out.mark = route.value().mark;
    if (const auto id = route.require("id", "id: orders-read"))
        out.id = read_id(*id).value_or("");
    read_match(route, out);
    route.choice("auth", out.auth, k_auth);
    read_set(route, "scopes", out.scopes, read_scope);
    read_set(route, "any_scope", out.any_scope, read_scope);
    read_set(route, "environments", out.environments, read_environment);
    read_set(route, "tenants", out.tenants, read_tenant);
    out.limits = read_limits(route);
    route.number("cost", out.cost, 1, 1'000'000);
    if (const auto sources = route.find("credentials", Mapping::Null::as_absent))
        out.credentials = read_items<CredentialSource>(*sources, read_credential_source);
    if (route.find("strip_credentials", Mapping::Null::as_absent))
        route.flag("strip_credentials", out.strip_credentials.emplace(true));
    if (const auto bytes = route.find("body_bytes", Mapping::Null::as_absent))
        out.body_bytes = read_size(*bytes, 0, k_tebibyte);
    if (const auto upstream = route.require("upstream", "upstream: orders"))
        if (auto text = read_text(*upstream))
            out.upstream = std::move(text->value);
    return out;
}

void read_targets(const Mapping& upstream, UpstreamSettings& out)
{
    const auto list = upstream.require("targets", "targets: [http://127.0.0.1:9001]");
    const auto items = list ? read_list(*list) : std::nullopt;
    if (!items)
        return;
    if (items->empty())
        list->error("needs one target, such as http://127.0.0.1:9001");
    for (std::size_t i = 1; i < items->size(); ++i)
        (*items)[i].error("several targets are not built yet in this version; give one");
    if (!items->empty())
        if (auto target = read_target(items->front()))
            out.targets.push_back(std::move(*target));
}

UpstreamSettings read_upstream(std::string id, const Mapping& upstream)
{
    UpstreamSettings out;
    out.id = std::move(id);
    read_targets(upstream, out);
    const Mapping timeouts = upstream.mapping("timeouts");
    timeouts.duration("connect", out.timeouts.connect, milliseconds{10}, minutes{5});
    timeouts.duration("first_byte", out.timeouts.first_byte, milliseconds{10}, hours{1});
    timeouts.duration("idle", out.timeouts.idle, milliseconds{10}, hours{24});
    upstream.number("keep_alive", out.keep_alive, 0, 10'000);
    if (const auto retries = upstream.find("retries"))
        if (read_number(*retries, 0, 10).value_or(0) != 0)
            retries->error("retries are not built yet in this version; write 0 or leave it out");
    return out;
}

} // namespace

void read_scopes(const Mapping& root, Settings& settings)
{
    for (const auto& [scope, value] : root.mapping("scopes").entries()) {
        if (scope.starts_with("platform:"))
            value.error_at_key("the resource `platform` is the gateway's own; name another");
        else if (!is_valid_scope(scope))
            value.error_at_key("not a scope, such as orders:read");
        else
            settings.scopes.emplace(scope, read_text(value).value_or(Text{}).value);
    }
}

void read_plans(const Mapping& root, Settings& settings)
{
    for (const auto& [id, value] : root.mapping("plans").entries()) {
        if (!is_identifier(id))
            value.error_at_key('`' + id + '`' + std::string{k_identifier_rule});
        settings.plans.push_back({id, read_limits(Mapping{value})});
    }
}

void read_upstreams(const Mapping& root, Settings& settings)
{
    for (const auto& [id, value] : root.mapping("upstreams").entries()) {
        if (!is_identifier(id))
            value.error_at_key('`' + id + '`' + std::string{k_identifier_rule});
        settings.upstreams.push_back(read_upstream(id, Mapping{value}));
    }
}

void read_routes(const Mapping& root, Settings& settings)
{
    if (const auto list = root.find("routes"))
        for (const Value& item : read_list(*list).value_or(std::vector<Value>{}))
            settings.routes.push_back(read_route(Mapping{item}));
}

} // namespace gw
