// The table of endpoints, and the way of a request through it.
#include "admin/endpoints.hpp"

#include "admin/handlers/handlers.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"

#include <array>

namespace gw {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view k_api = "/api/v1/platform/";
constexpr std::string_view k_keys = "/api/v1/platform/api-keys";
constexpr std::string_view k_key = "/api/v1/platform/api-keys/{}";
constexpr std::string_view k_tenants = "/api/v1/platform/tenants";

using http::verb;
using namespace handlers;

constexpr std::array k_endpoints{
    // method, path, scope, handler, has a body, operator only
    Endpoint{verb::get, "/metrics", "", metrics},
    Endpoint{verb::get, "/livez", "", livez},
    Endpoint{verb::get, "/readyz", "", readyz},
    Endpoint{verb::post, k_keys, "platform:keys", create_key, true},
    Endpoint{verb::get, k_keys, "platform:keys:read", list_keys},
    Endpoint{verb::get, k_key, "platform:keys:read", show_key},
    Endpoint{verb::patch, k_key, "platform:keys", change_key, true},
    Endpoint{verb::delete_, k_key, "platform:keys", revoke_key, true},
    Endpoint{verb::post, "/api/v1/platform/api-keys/{}/revoke", "platform:keys", revoke_key, true},
    Endpoint{verb::post, "/api/v1/platform/api-keys/{}/regenerate", "platform:keys", regenerate_key, true},
    Endpoint{verb::post, "/api/v1/platform/api-keys/{}/disable", "platform:keys", disable_key},
    Endpoint{verb::post, "/api/v1/platform/api-keys/{}/enable", "platform:keys", enable_key},
    Endpoint{verb::get, "/api/v1/platform/api-keys/{}/usage", "platform:keys:read", key_usage},
    Endpoint{verb::get, "/api/v1/platform/api-keys/{}/events", "platform:keys:read", key_events},
    Endpoint{verb::get, k_tenants, "platform:tenants:read", list_tenants},
    Endpoint{verb::post, k_tenants, "platform:tenants", create_tenant, true, true},
    Endpoint{verb::post, "/api/v1/platform/tenants/{}/suspend", "platform:tenants", suspend_tenant, false,
             true},
    Endpoint{verb::post, "/api/v1/platform/tenants/{}/resume", "platform:tenants", resume_tenant, false,
             true},
};

// Segment by segment; what stands for "{}" goes to `arguments`.
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& arguments)
{
    arguments.clear();
    while (!pattern.empty() && !path.empty()) {
        const std::string_view wanted = pattern.substr(0, pattern.find('/', 1));
        const std::string_view given = path.substr(0, path.find('/', 1));
        if (wanted == "/{}" && given.size() > 1)
            arguments.emplace_back(given.substr(1));
        else if (wanted != given)
            return false;
        pattern.remove_prefix(wanted.size());
        path.remove_prefix(given.size());
    }
    return pattern.empty() && path.empty();
}

// The row for this request, or 404, or 405 with Allow. HEAD is GET without the body.
api_result<const Endpoint*> find_endpoint(verb method, std::string_view path,
                                          std::vector<std::string>& arguments)
{
    const verb wanted = method == verb::head ? verb::get : method;
    std::string allow;
    for (const Endpoint& endpoint : k_endpoints) {
        std::vector<std::string> found;
        if (!matches(endpoint.path, path, found))
            continue;
        if (endpoint.method == wanted) {
            arguments = std::move(found);
            return &endpoint;
        }
        const auto name = http::to_string(endpoint.method);
        allow.append(allow.empty() ? "" : ", ").append(name.data(), name.size());
        allow += endpoint.method == verb::get ? ", HEAD" : "";
    }
    if (allow.empty())
        return ApiProblem{404, "not_found", "There is nothing at this path."};
    ApiProblem problem{405, "method_not_allowed", "This path allows " + allow + "."};
    problem.fields.emplace_back("Allow", allow);
    return problem;
}

// application/json, or application/merge-patch+json for PATCH; parameters are ignored.
bool is_json(const ApiRequest& request)
{
    const auto field = request[http::field::content_type];
    std::string_view type{field.data(), field.size()};
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' '))
        type.remove_suffix(1);
    const std::string text{type};
    return boost::beast::iequals(text, "application/json") ||
           (request.method() == verb::patch && boost::beast::iequals(text, "application/merge-patch+json"));
}

std::optional<ApiProblem> check_body(const Endpoint& endpoint, const ApiRequest& request)
{
    if (request.body().empty())
        return std::nullopt;
    if (!endpoint.has_body && request.body() != "{}")
        return ApiProblem{400, "unexpected_body", "This request takes no body."};
    if (!is_json(request)) {
        ApiProblem problem{415, "unsupported_media_type", "Send the body as Content-Type: application/json."};
        problem.fields.emplace_back("Accept", "application/json");
        return problem;
    }
    return std::nullopt;
}

std::optional<ApiProblem> check_scope(const Endpoint& endpoint, const ApiCaller& caller)
{
    if (!caller.may(endpoint.scope))
        return ApiProblem{403, "insufficient_scope",
                          "This needs the scope " + std::string{endpoint.scope} + "."};
    if (endpoint.operator_only && !caller.is_operator)
        return ApiProblem{403, "forbidden", "Only the platform's operator may do this."};
    return std::nullopt;
}

} // namespace

std::span<const Endpoint> endpoints()
{
    return k_endpoints;
}

AdminApi::AdminApi(AdminServices services, ManagementAuth auth, bool with_api)
    : services_(std::move(services)), auth_(std::move(auth)), with_api_(with_api)
{
}

awaitable<ApiResponse> AdminApi::answer(const ApiRequest& request, Address client, std::string request_id)
{
    const auto field = request.target();
    const std::string_view target{field.data(), field.size()};
    const std::size_t mark = std::min(target.find('?'), target.size());
    ApiCall call{.request = request,
                 .services = services_,
                 .repeats = repeats_,
                 .path = target.substr(0, mark),
                 .query = target.substr(std::min(mark + 1, target.size())),
                 .arguments = {},
                 .caller = {},
                 .request_id = std::move(request_id),
                 .client = client};
    services_.metrics.admin_requests.add();
    try {
        co_return co_await dispatch(call);
    } catch (const std::exception& bug) {
        log(LogLevel::error, "admin.handler_failed",
            {{"path", call.path}, {"request_id", call.request_id}, {"reason", bug.what()}});
    }
    const ApiProblem problem{500, "internal_error",
                             "Something went wrong; the log says what, under this request id."};
    co_return refuse(call, problem);
}

awaitable<ApiResponse> AdminApi::dispatch(ApiCall& call)
{
    const auto found = find_endpoint(call.request.method(), call.path, call.arguments);
    if (!with_api_ && (!found || !(*found)->scope.empty()) && call.path.starts_with(k_api)) {
        const ApiProblem elsewhere{404, "not_found",
                                   "The admin API is not served by this node (--role gateway)."};
        co_return refuse(call, elsewhere);
    }
    if (!found)
        co_return refuse(call, found.error());
    const Endpoint& endpoint = **found;
    if (!endpoint.scope.empty()) {
        auto caller = co_await auth_.authenticate(call.request, call.client, call.request_id);
        if (!caller)
            co_return refuse(call, caller.error());
        call.caller = std::move(*caller);
        if (const auto problem = check_scope(endpoint, call.caller))
            co_return refuse(call, *problem);
    }
    if (const auto problem = check_body(endpoint, call.request))
        co_return refuse(call, *problem);
    co_return co_await endpoint.handler(call);
}

} // namespace gw
