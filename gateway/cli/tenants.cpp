// `portcullis tenants add|list|suspend|resume`.
#include "admin/json.hpp"
#include "app/store_session.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "ports/tenant_store.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace gw::cli {

namespace {

struct TenantOptions {
    std::shared_ptr<CommonOptions> common;
    std::string id, name, plan;
};
using Options = std::shared_ptr<TenantOptions>;

Options make_options(CLI::App& command, bool with_id)
{
    auto options = std::make_shared<TenantOptions>();
    options->common = add_common_options(command, true);
    if (with_id)
        command.add_option("tenant", options->id, "Tenant id: 1 to 32 characters of a-z 0-9 -")->required();
    return options;
}

void print(const Tenant& tenant, bool json)
{
    if (json) {
        std::cout << tenant_to_json(tenant) << '\n';
        return;
    }
    std::cout << format_table({{"TENANT", "NAME", "PLAN", "STATUS"},
                               {tenant.id.str(), tenant.name, tenant.plan.value_or("-"),
                                tenant.suspended ? "suspended" : "active"}});
}

int add(const TenantOptions& options)
{
    const Settings settings = load_configuration(options.common->config);
    Tenant tenant;
    tenant.id = parse_tenant(options.id);
    tenant.name = options.name.empty() ? options.id : options.name;
    if (!options.plan.empty()) {
        const bool known =
            std::ranges::any_of(settings.plans, [&](const PlanSettings& p) { return p.id == options.plan; });
        if (!known)
            throw CommandFailed{"--plan: there is no plan '" + options.plan + "' in " +
                                options.common->config};
        tenant.plan = options.plan;
    }
    tenant.created_at = wall_now();
    StoreSession stores{settings};
    const AuditEntry why = command_line_audit("tenant.create", "tenant", tenant.id.str(), tenant.id);
    const auto added = stores.run(stores.tenants().add(tenant, why));
    if (!added && added.error() == errc::conflict)
        throw CommandFailed{"there is a tenant '" + options.id + "' already"};
    if (!added)
        fail(added.error());
    print(tenant, options.common->json);
    return 0;
}

int list(const TenantOptions& options)
{
    StoreSession stores{load_configuration(options.common->config)};
    const auto tenants = stores.run(stores.tenants().list());
    if (!tenants)
        fail(tenants.error());
    if (options.common->json) {
        std::vector<std::string> members;
        for (const Tenant& tenant : *tenants)
            members.push_back(tenant_to_json(tenant));
        std::cout << list_to_json(members, std::nullopt) << '\n';
        return 0;
    }
    std::vector<std::vector<std::string>> rows{{"TENANT", "NAME", "PLAN", "STATUS", "CREATED"}};
    for (const Tenant& tenant : *tenants)
        rows.push_back({tenant.id.str(), tenant.name, tenant.plan.value_or("-"),
                        tenant.suspended ? "suspended" : "active", to_rfc3339(tenant.created_at)});
    std::cout << format_table(rows);
    return 0;
}

int set_suspended(const TenantOptions& options, bool suspended)
{
    const TenantId id = parse_tenant(options.id);
    StoreSession stores{load_configuration(options.common->config)};
    const AuditEntry why =
        command_line_audit(suspended ? "tenant.suspend" : "tenant.resume", "tenant", id.str(), id);
    const auto done = stores.run(stores.tenants().set_suspended(id, suspended, why));
    if (!done && done.error() == errc::not_found)
        throw CommandFailed{"there is no tenant '" + options.id + "'"};
    if (!done)
        fail(done.error());
    const auto tenant = stores.run(stores.tenants().find(id));
    if (!tenant)
        fail(tenant.error());
    if (*tenant)
        print(**tenant, options.common->json);
    return 0;
}

} // namespace

void add_tenants(CLI::App& app, Chosen& chosen)
{
    CLI::App* group = app.add_subcommand("tenants", "Add, list, suspend and resume tenants");
    group->require_subcommand(1);
    group->footer("Example: portcullis tenants add acme --name 'Acme Ltd' --config gateway.yaml");

    CLI::App* adding = group->add_subcommand("add", "Add a tenant");
    adding->footer(
        "Example: portcullis tenants add acme --name 'Acme Ltd' --plan free --config gateway.yaml");
    auto options = make_options(*adding, true);
    adding->add_option("--name", options->name, "Display name; the id if absent");
    adding->add_option("--plan", options->plan, "Plan of the tenant's keys that have none of their own");
    adding->callback([&chosen, options] { chosen = {"tenants add", [options] { return add(*options); }}; });

    CLI::App* listing = group->add_subcommand("list", "List all tenants");
    listing->footer("Example: portcullis tenants list --config gateway.yaml --json");
    auto list_options = make_options(*listing, false);
    listing->callback([&chosen, list_options] {
        chosen = {"tenants list", [list_options] { return list(*list_options); }};
    });

    for (const bool suspended : {true, false}) {
        const std::string name = suspended ? "suspend" : "resume";
        CLI::App* setting =
            group->add_subcommand(name, suspended ? "Stop every key of a tenant within a second"
                                                  : "Let a suspended tenant's keys work again");
        setting->footer("Example: portcullis tenants " + name + " acme --config gateway.yaml");
        auto set_options = make_options(*setting, true);
        setting->callback([&chosen, set_options, suspended, name] {
            chosen = {"tenants " + name,
                      [set_options, suspended] { return set_suspended(*set_options, suspended); }};
        });
    }
}

} // namespace gw::cli
