// `portcullis check`: every problem of a configuration, in one run, as file:line:column: path: problem; then
// what it amounts to, with every route that asks for no key.
#include "app/stores.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <filesystem>
#include <iostream>

namespace gw::cli {

namespace {

namespace json = boost::json;

std::vector<std::string> open_routes(const Settings& settings)
{
    std::vector<std::string> out;
    for (const RouteSettings& route : settings.routes)
        if (route.auth == AuthMode::none)
            out.push_back(route.id);
    return out;
}

// How to reach a listener from this machine.
std::string url_of(const ListenAddress& listen)
{
    const std::string host = listen.host == "0.0.0.0" ? "127.0.0.1"
                             : listen.host == "::"    ? "::1"
                                                      : listen.host;
    const bool is_v6 = host.find(':') != std::string::npos;
    return "http://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(listen.port);
}

// Where the embedded stores lie.
std::string data_folder(const Settings& settings)
{
    const auto folder = std::filesystem::path{settings.stores.sqlite}.parent_path();
    return folder.empty() ? "." : folder.string();
}

json::array to_json(const std::vector<std::string>& texts)
{
    json::array out;
    for (const std::string& text : texts)
        out.emplace_back(text);
    return out;
}

void print_json(const Loaded& checked)
{
    json::array problems;
    for (const Problem& problem : checked.problems) {
        json::object entry;
        entry["severity"] = problem.severity == Problem::Severity::error ? "error" : "warning";
        entry["line"] = problem.mark.line;
        entry["column"] = problem.mark.column;
        entry["path"] = problem.path;
        entry["message"] = problem.message;
        problems.push_back(std::move(entry));
    }
    json::object out;
    out["ok"] = checked.ok();
    out["problems"] = std::move(problems);
    out["routes"] = checked.settings.routes.size();
    out["upstreams"] = checked.settings.upstreams.size();
    out["plans"] = checked.settings.plans.size();
    out["auth_none"] = to_json(open_routes(checked.settings));
    std::cout << json::serialize(out) << '\n';
}

std::string counted(std::size_t count, const char* noun)
{
    return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

void print_summary(const std::string& file, const Loaded& checked)
{
    const Settings& settings = checked.settings;
    std::cout << file << ": ok: " << counted(settings.routes.size(), "route") << ", "
              << counted(settings.upstreams.size(), "upstream") << ", "
              << counted(settings.plans.size(), "plan") << '\n';
    for (const ListenAddress& listen : settings.gateway.listen)
        std::cout << "gateway: " << url_of(listen) << '\n';
    for (const ListenAddress& listen : settings.admin.listen)
        std::cout << "admin: " << url_of(listen) << '\n';
    for (const UpstreamSettings& upstream : settings.upstreams)
        for (const auto& target : upstream.targets)
            std::cout << "upstream: " << upstream.id << ' ' << target.host << ':' << target.port << '\n';
    std::cout << "data: " << data_folder(settings) << '\n';
    const std::vector<std::string> open = open_routes(settings);
    if (open.empty())
        std::cout << "every route asks for a key\n";
    for (const std::string& id : open)
        std::cout << "auth: none: route " << id << " is open to everybody\n";
}

// What stands in the way of serving the role alone.
void check_role(Loaded& checked, const std::string& role)
{
    const std::string objection = role == "all" ? std::string{} : Stores::objection_to_split_roles(checked.settings);
    if (objection.empty())
        return;
    Problem problem;
    problem.mark = checked.settings.mark_of("stores.metadata");
    problem.path = "stores.metadata";
    problem.message = "--role " + role + ": " + objection;
    checked.problems.push_back(std::move(problem));
}

int run_check(const CommonOptions& common, const std::string& role)
{
    Loaded checked = check_configuration(common.config);
    check_role(checked, role);
    if (common.json) {
        print_json(checked);
        return checked.ok() ? 0 : 1;
    }
    std::size_t errors = 0;
    for (const Problem& problem : checked.problems) {
        errors += problem.severity == Problem::Severity::error ? 1 : 0;
        std::cout << problem.str(common.config) << '\n';
    }
    if (checked.ok())
        print_summary(common.config, checked);
    else
        std::cout << common.config << ": " << counted(errors, "error") << '\n';
    return checked.ok() ? 0 : 1;
}

} // namespace

void add_check(CLI::App& app, Chosen& chosen)
{
    CLI::App* command = app.add_subcommand("check", "Report every problem of a configuration");
    command->footer(
        "Exit code 1 if there is an error; warnings alone are 0.\nExample: portcullis check --config "
        "gateway.yaml");
    auto common = add_common_options(*command, true);
    auto role = std::make_shared<std::string>("all");
    command->add_option("--role", *role, "What the process is to serve")
        ->check(CLI::IsMember({"all", "gateway", "admin"}))
        ->capture_default_str();
    command->callback([&chosen, common, role] {
        chosen = {"check", [common, role] { return run_check(*common, *role); }};
    });
}

} // namespace gw::cli
