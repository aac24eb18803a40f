// `portcullis migrate`: brings the database's schema up to date; an embedded one is backed up first, and `serve` does
// the same for it. A shared one is migrated by this command only.
#include "app/stores.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>

namespace gw::cli {

namespace {

void print_json(const std::vector<std::string>& migrations, bool plan_only)
{
    boost::json::array names;
    for (const std::string& name : migrations)
        names.emplace_back(name);
    boost::json::object out;
    out["applied"] = !plan_only;
    out["migrations"] = std::move(names);
    std::cout << boost::json::serialize(out) << '\n';
}

int run_migrate(const CommonOptions& common, bool plan_only)
{
    const Settings settings = load_configuration(common.config);
    const std::vector<std::string> migrations = plan_only ? Stores::migration_plan(settings) : Stores::migrate(settings);
    if (common.json)
        return print_json(migrations, plan_only), 0;
    if (migrations.empty())
        std::cout << "The schema is up to date.\n";
    for (const std::string& name : migrations)
        std::cout << (plan_only ? "would apply " : "applied ") << name << '\n';
    return 0;
}

} // namespace

void add_migrate(CLI::App& app, Chosen& chosen)
{
    CLI::App* command = app.add_subcommand("migrate", "Bring the database's schema up to date");
    command->footer("Example: portcullis migrate --plan --config gateway.yaml");
    auto common = add_common_options(*command, true);
    auto plan_only = std::make_shared<bool>(false);
    command->add_flag("--plan", *plan_only, "Only say what would be done");
    command->callback([&chosen, common, plan_only] {
        chosen = {"migrate", [common, plan_only] { return run_migrate(*common, *plan_only); }};
    });
}

} // namespace gw::cli
