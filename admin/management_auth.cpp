// Authentication of the admin API.
#include "admin/management_auth.hpp"

#include "domain/scope.hpp"

#include <algorithm>

namespace gw {

namespace http = boost::beast::http;

namespace {

std::string_view view(boost::core::string_view text)
{
    return {text.data(), text.size()};
}

ApiProblem unauthenticated(std::string code, std::string detail, const char* challenge)
{
    ApiProblem problem{401, std::move(code), std::move(detail)};
    problem.fields.emplace_back("WWW-Authenticate", challenge);
    return problem;
}

struct Presented {
    int count = 0;
    std::string_view credential;
};

// Authorization: Bearer and X-API-Key, each at most once.
Presented presented_credential(const ApiRequest& request)
{
    constexpr std::string_view k_bearer = "bearer ";
    Presented out;
    for (const auto& field : request) {
        const std::string_view value = view(field.value());
        if (field.name() == http::field::authorization) {
            ++out.count;
            const bool bearer =
                boost::beast::iequals(std::string{value.substr(0, k_bearer.size())}, std::string{k_bearer});
            out.credential = bearer ? value.substr(k_bearer.size()) : std::string_view{};
        } else if (boost::beast::iequals(field.name_string(), "X-API-Key")) {
            ++out.count;
            out.credential = value;
        }
    }
    return out;
}

Actor actor_of(const KeyRecord& key)
{
    Actor actor;
    actor.type = "key";
    actor.id = key.id.str();
    actor.grants = key.scopes;
    actor.may_set_limits = std::ranges::find(key.scopes, "platform:plans") != key.scopes.end();
    return actor;
}

Actor bootstrap_actor()
{
    Actor actor;
    actor.type = "operator";
    actor.id = "bootstrap";
    // `*` never reaches the platform's own scopes: each is named.
    actor.grants = {"*:*",
                    "platform:keys",
                    "platform:keys:read",
                    "platform:tenants",
                    "platform:tenants:read",
                    "platform:usage:read",
                    "platform:audit:read",
                    "platform:plans"};
    actor.may_set_limits = true;
    return actor;
}

} // namespace

bool ApiCaller::may(std::string_view scope) const
{
    if (is_operator)
        return true;
    constexpr std::string_view k_read = ":read";
    const std::string_view wider =
        scope.ends_with(k_read) ? scope.substr(0, scope.size() - k_read.size()) : scope;
    return std::ranges::any_of(actor.grants,
                               [&](const std::string& held) { return held == scope || held == wider; });
}

ManagementAuth::ManagementAuth(Secret bootstrap, VerifyManagementKey verify) : verify_(std::move(verify))
{
    if (!bootstrap.empty())
        bootstrap_ = sha256(bootstrap.reveal());
}

bool ManagementAuth::is_bootstrap(std::string_view credential) const
{
    return bootstrap_ && equal_constant_time(sha256(credential), *bootstrap_);
}

awaitable<api_result<ApiCaller>> ManagementAuth::authenticate(const ApiRequest& request, Address client,
                                                              std::string request_id) const
{
    const Presented presented = presented_credential(request);
    if (presented.count > 1)
        co_return ApiProblem{400, "ambiguous_credential",
                             "Send one credential: Authorization: Bearer or X-API-Key."};
    if (presented.credential.empty())
        co_return unauthenticated("no_credential",
                                  "Send a management key as Authorization: Bearer <key> or X-API-Key: <key>.",
                                  "Bearer realm=\"portcullis-admin\"");
    ApiCaller caller;
    if (is_bootstrap(presented.credential)) {
        caller.actor = bootstrap_actor();
        caller.is_operator = true;
    } else {
        std::optional<KeyRecord> key;
        if (verify_) {
            auto verified = co_await verify_(presented.credential, client);
            if (!verified)
                co_return verified.error();
            key = std::move(*verified);
        }
        if (!key || !key->management)
            co_return unauthenticated("invalid_key", "The management key is not valid.",
                                      "Bearer realm=\"portcullis-admin\", error=\"invalid_token\"");
        caller.actor = actor_of(*key);
        caller.tenant = key->tenant;
    }
    const auto agent = request[http::field::user_agent];
    caller.actor.address = client.str();
    caller.actor.user_agent = std::string{view(agent)}.substr(0, 256);
    caller.actor.request_id = std::move(request_id);
    co_return caller;
}

} // namespace gw
