// `portcullis serve`: runs the gateway, the admin listener, or both, until SIGTERM and drained.
#include "app/serve.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"

#include <CLI/CLI.hpp>

#include <map>

namespace gw::cli {

void add_serve(CLI::App& app, Chosen& chosen)
{
    CLI::App* command = app.add_subcommand("serve", "Run the gateway and the admin listener");
    command->footer(
        "Ends on SIGTERM or Ctrl-C after the requests in flight; logs go to standard error, the access "
        "log where the configuration says.\nExample: portcullis serve --config gateway.yaml");
    auto common = add_common_options(*command, false);
    auto role = std::make_shared<std::string>("all");
    command->add_option("--role", *role, "What this process serves")
        ->check(CLI::IsMember({"all", "gateway", "admin"}))
        ->capture_default_str();
    command->callback([&chosen, common, role] {
        chosen.name = "serve";
        chosen.run = [common, role] {
            static const std::map<std::string, ServeOptions::Role> roles{
                {"all", ServeOptions::Role::all},
                {"gateway", ServeOptions::Role::gateway},
                {"admin", ServeOptions::Role::admin}};
            ServeOptions options;
            options.role = roles.at(*role);
            return serve(load_configuration(common->config), options);
        };
    });
}

} // namespace gw::cli
