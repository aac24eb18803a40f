// The handlers behind the table in admin/endpoints.cpp, and what several of them share.
#pragma once

#include "admin/endpoints.hpp"

#include <map>
#include <optional>
#include <string>

namespace gw::handlers {

awaitable<ApiResponse> metrics(ApiCall& call);
awaitable<ApiResponse> livez(ApiCall& call);
awaitable<ApiResponse> readyz(ApiCall& call);

awaitable<ApiResponse> create_key(ApiCall& call);
awaitable<ApiResponse> list_keys(ApiCall& call);
awaitable<ApiResponse> show_key(ApiCall& call);
awaitable<ApiResponse> change_key(ApiCall& call);
awaitable<ApiResponse> revoke_key(ApiCall& call); // DELETE and POST .../revoke
awaitable<ApiResponse> regenerate_key(ApiCall& call);
awaitable<ApiResponse> disable_key(ApiCall& call);
awaitable<ApiResponse> enable_key(ApiCall& call);
awaitable<ApiResponse> key_usage(ApiCall& call);
awaitable<ApiResponse> key_events(ApiCall& call);

awaitable<ApiResponse> create_tenant(ApiCall& call);
awaitable<ApiResponse> list_tenants(ApiCall& call);
awaitable<ApiResponse> suspend_tenant(ApiCall& call);
awaitable<ApiResponse> resume_tenant(ApiCall& call);

ApiResponse refuse(const ApiCall& call, const ApiProblem& problem);
// The key id in the path; one that cannot exist is 404 like one that does not.
api_result<KeyId> key_in_path(const ApiCall& call);

// The query as names and decoded values. 422 for a name not in `known`, a name given twice or a bad escape.
using Query = std::map<std::string, std::string, std::less<>>;
api_result<Query> read_query(const ApiCall& call, std::initializer_list<std::string_view> known);

// Idempotency-Key: the identity under which `operation` of this request is remembered; empty without the
// field; 400 if it is not 1 to 255 visible ASCII characters.
api_result<std::optional<std::string>> repeat_identity(const ApiCall& call, std::string_view tenant,
                                                       std::string_view operation);
// The answer for a repetition that cannot be replayed (in progress, another body).
ApiProblem repeat_problem(Repeats::Status status);

} // namespace gw::handlers
