// The order of the subcommands in --help, the small ones (version), and those that are named in the design
// but not built yet: they are refused as such, never ignored.
#include "cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace gw::cli {

namespace {

void add_refused(CLI::App& app, Chosen& chosen, const std::string& name, const std::string& purpose)
{
    CLI::App* command = app.add_subcommand(name, purpose + " (not built yet)");
    command->allow_extras();
    command->footer("Not built yet: this command only says so, and exits with 1.\nExample: portcullis " +
                    name);
    command->callback([&chosen, name] {
        chosen.name = name;
        chosen.run = []() -> int { throw CommandFailed{"not built yet"}; };
    });
}

} // namespace

void add_version(CLI::App& app, Chosen& chosen)
{
    CLI::App* command = app.add_subcommand("version", "Print the version");
    command->footer("Example: portcullis version --json");
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "Print one JSON document");
    command->callback([&chosen, json] {
        chosen.name = "version";
        chosen.run = [json] {
            if (*json)
                std::cout << R"({"name":"portcullis","version":")" GW_VERSION "\"}\n";
            else
                std::cout << "portcullis " GW_VERSION "\n";
            return 0;
        };
    });
}

void add_not_built(CLI::App& app, Chosen& chosen)
{
    add_refused(app, chosen, "diff", "What a reload would change, in words");
    add_refused(app, chosen, "users", "Add, list and disable dashboard users");
    add_refused(app, chosen, "audit", "Export and verify the audit log");
}

void add_all(CLI::App& app, Chosen& chosen)
{
    add_serve(app, chosen);
    add_check(app, chosen);
    add_explain(app, chosen);
    add_keys(app, chosen);
    add_tenants(app, chosen);
    add_migrate(app, chosen);
    add_rotate(app, chosen);
    add_demo_api(app, chosen);
    add_version(app, chosen);
    add_not_built(app, chosen);
}

} // namespace gw::cli
