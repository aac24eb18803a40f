// Routes of the configuration, as the route table wants them. See compile_snapshot.hpp.
#include "app/compile_snapshot.hpp"

#include <algorithm>

namespace gw {

namespace {

CredentialField compile(const CredentialSource& source)
{
    CredentialField field;
    switch (source.kind) {
    case CredentialSource::Kind::bearer:
        field.kind = CredentialField::Kind::bearer;
        break;
    case CredentialSource::Kind::header:
        field.kind = CredentialField::Kind::header;
        break;
    case CredentialSource::Kind::query:
        field.kind = CredentialField::Kind::query;
        break;
    case CredentialSource::Kind::cookie:
        field.kind = CredentialField::Kind::cookie;
        break;
    }
    field.name = source.name;
    return field;
}

http1::Method method_of(const std::string& name) noexcept
{
    using http1::Method;
    static constexpr std::pair<std::string_view, Method> k_methods[] = {
        {"GET", Method::get},     {"HEAD", Method::head},       {"POST", Method::post},   {"PUT", Method::put},
        {"PATCH", Method::patch}, {"DELETE", Method::delete_}, {"OPTIONS", Method::options}};
    for (const auto& [text, method] : k_methods)
        if (text == name)
            return method;
    return Method::other;
}

RouteAuth compile(AuthMode mode) noexcept
{
    switch (mode) {
    case AuthMode::none:
        return RouteAuth::none;
    case AuthMode::optional:
        return RouteAuth::optional;
    case AuthMode::required:
        break;
    }
    return RouteAuth::required;
}

Route compile(const RouteSettings& declared, const Settings& settings, std::uint32_t index)
{
    Route route;
    route.index = index;
    route.id = declared.id;
    route.auth = compile(declared.auth);
    route.scopes = declared.scopes;
    route.any_scope = declared.any_scope;
    route.environments = declared.environments;
    route.tenants = declared.tenants;
    for (const LimitPolicy& policy : declared.limits)
        route.limits.push_back(compile_policy(policy, "route", declared.id));
    route.cost = declared.cost;
    for (const CredentialSource& source : declared.credentials.value_or(settings.gateway.credentials))
        route.credentials.push_back(compile(source));
    route.strip_credentials = declared.strip_credentials.value_or(settings.gateway.strip_credentials);
    route.body_bytes = declared.body_bytes.value_or(settings.gateway.limits.body_bytes);
    const auto upstream = std::find_if(settings.upstreams.begin(), settings.upstreams.end(),
                                       [&](const UpstreamSettings& u) { return u.id == declared.upstream; });
    route.upstream = static_cast<std::uint32_t>(upstream - settings.upstreams.begin());
    route.host = declared.host;
    route.path = declared.path;
    route.method_names = declared.methods;
    for (const std::string& name : declared.methods)
        route.methods.push_back(method_of(name));
    return route;
}

} // namespace

std::vector<Route> compile_routes(const Settings& settings)
{
    std::vector<Route> routes;
    for (const RouteSettings& declared : settings.routes)
        routes.push_back(compile(declared, settings, static_cast<std::uint32_t>(routes.size())));
    return routes;
}

} // namespace gw
