// Organisations: the operator adds, suspends and resumes them; a key of one tenant sees only its own.
#include "admin/handlers/handlers.hpp"
#include "admin/json.hpp"
#include "ports/tenant_store.hpp"

#include <algorithm>

namespace gw::handlers {

namespace {

AuditEntry audit_of(const ApiCall& call, std::string action, const TenantId& tenant)
{
    AuditEntry why;
    why.actor_type = call.caller.actor.type;
    why.actor = call.caller.actor.id;
    why.action = std::move(action);
    why.target_type = "tenant";
    why.target = tenant.str();
    why.tenant = tenant.str();
    why.address = call.caller.actor.address;
    why.user_agent = call.caller.actor.user_agent;
    why.request_id = call.request_id;
    why.at = call.services.now();
    return why;
}

awaitable<ApiResponse> set_suspended(ApiCall& call, bool suspended)
{
    const ApiProblem unknown{404, "not_found", "There is no such tenant."};
    const auto id = TenantId::parse(call.arguments.front());
    if (!id)
        co_return refuse(call, unknown);
    const AuditEntry why = audit_of(call, suspended ? "tenant.suspend" : "tenant.resume", *id);
    const auto done = co_await call.services.tenants.set_suspended(*id, suspended, why);
    if (!done)
        co_return refuse(call, done.error() == errc::not_found ? unknown : problem_of(done.error()));
    if (call.services.keys.on_change)
        co_await call.services.keys.on_change();
    const auto tenant = co_await call.services.tenants.find(*id);
    if (!tenant)
        co_return refuse(call, problem_of(tenant.error()));
    if (!*tenant)
        co_return refuse(call, unknown);
    std::string body = tenant_to_json(**tenant);
    if (suspended && call.services.propagation) {
        const Propagation propagation = co_await call.services.propagation(false);
        body = with_propagation(std::move(body), propagation);
    }
    co_return ApiResponse{200, std::move(body)};
}

// A repeated create: the tenant as it is now.
awaitable<ApiResponse> replay(ApiCall& call, Repeats::Found found)
{
    if (found.status != Repeats::Status::finished)
        co_return refuse(call, repeat_problem(found.status));
    const TenantId id = TenantId::parse(found.object).value_or(TenantId{});
    const auto tenant = co_await call.services.tenants.find(id);
    if (!tenant)
        co_return refuse(call, problem_of(tenant.error()));
    if (!*tenant)
        co_return refuse(call, ApiProblem{404, "not_found", "The tenant is gone."});
    ApiResponse response{201, tenant_to_json(**tenant)};
    response.fields.emplace_back("Idempotency-Replayed", "true");
    co_return response;
}

} // namespace

awaitable<ApiResponse> create_tenant(ApiCall& call)
{
    auto tenant = read_tenant(call.request.body());
    if (!tenant)
        co_return refuse(call, tenant.error());
    const auto& plans = call.services.keys.rules().plans;
    if (tenant->plan && std::ranges::find(plans, *tenant->plan) == plans.end()) {
        FieldError unknown{"/plan", "there is no plan of that name in the configuration"};
        const ApiProblem problem{422, "invalid_fields", "Some fields are not valid; see errors.", {unknown}};
        co_return refuse(call, problem);
    }
    const auto identity = repeat_identity(call, "", "tenants.create");
    if (!identity)
        co_return refuse(call, identity.error());
    if (*identity) {
        auto found = call.repeats.begin(**identity, sha256(call.request.body()), call.services.now());
        if (found.status != Repeats::Status::fresh)
            co_return co_await replay(call, std::move(found));
    }
    tenant->created_at = call.services.now();
    const AuditEntry why = audit_of(call, "tenant.create", tenant->id);
    const auto added = co_await call.services.tenants.add(*tenant, why);
    if (!added) {
        if (*identity)
            call.repeats.failed(**identity);
        ApiProblem problem = problem_of(added.error());
        if (added.error() == errc::conflict)
            problem.detail = "There is a tenant with this id already.";
        co_return refuse(call, problem);
    }
    if (*identity)
        call.repeats.finished(**identity, tenant->id.str());
    co_return ApiResponse{201, tenant_to_json(*tenant)};
}

awaitable<ApiResponse> list_tenants(ApiCall& call)
{
    const auto tenants = co_await call.services.tenants.list();
    if (!tenants)
        co_return refuse(call, problem_of(tenants.error()));
    std::vector<std::string> members;
    for (const Tenant& tenant : *tenants)
        if (!call.caller.tenant || *call.caller.tenant == tenant.id)
            members.push_back(tenant_to_json(tenant));
    co_return ApiResponse{200, list_to_json(members, std::nullopt)};
}

awaitable<ApiResponse> suspend_tenant(ApiCall& call)
{
    co_return co_await set_suspended(call, true);
}

awaitable<ApiResponse> resume_tenant(ApiCall& call)
{
    co_return co_await set_suspended(call, false);
}

} // namespace gw::handlers
