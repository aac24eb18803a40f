// `portcullis explain`: what the gateway would decide about a request, and why. No side effects: nothing is
// charged, counted or written.
#include "app/store_session.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "cli/explain_request.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>

namespace gw::cli {

namespace {

namespace json = boost::json;

struct ExplainOptions {
    std::shared_ptr<CommonOptions> common;
    std::string key_id, method, url;
    std::string tenant = "example", environment = "live", address = "127.0.0.1", plan;
    std::optional<std::string> scopes;
};

json::array to_json(const std::vector<std::string>& texts)
{
    json::array out;
    for (const std::string& text : texts)
        out.emplace_back(text);
    return out;
}

void print_json(const Explanation& found)
{
    json::array limits;
    for (const ExplainedLimit& limit : found.limits) {
        json::object entry;
        entry["declared_in"] = limit.declared_in;
        entry["name"] = limit.name;
        entry["amount"] = limit.amount;
        entry["per"] = limit.per;
        entry["enforce"] = limit.enforced;
        limits.push_back(std::move(entry));
    }
    json::object out;
    out["method"] = found.method;
    out["path"] = found.path;
    out["route"] = found.route.empty() ? json::value(nullptr) : json::value(found.route);
    out["upstream"] = found.upstream.empty() ? json::value(nullptr) : json::value(found.upstream);
    out["auth"] = found.auth;
    out["scopes_needed"] = to_json(found.scopes_needed);
    out["any_scope_needed"] = to_json(found.any_scope_needed);
    out["scopes_held"] = to_json(found.scopes_held);
    out["scopes_missing"] = to_json(found.scopes_missing);
    out["environments"] = to_json(found.environments);
    out["limits"] = std::move(limits);
    out["admitted"] = found.admitted();
    out["status"] = found.admitted() ? json::value(nullptr) : json::value(status_of(found.refusal));
    out["code"] = found.admitted() ? json::value(nullptr) : json::value(code_of(found.refusal));
    out["reason"] = found.reason;
    std::cout << json::serialize(out) << '\n';
}

std::string join(const std::vector<std::string>& texts)
{
    std::string out;
    for (const std::string& text : texts)
        out += (out.empty() ? "" : ", ") + text;
    return out.empty() ? "-" : out;
}

void print_text(const Explanation& found)
{
    std::vector<std::vector<std::string>> rows{{"request", found.method + " " + found.path}};
    if (!found.route.empty()) {
        rows.push_back({"route", found.route + " (" + found.route_host + found.route_path + ")"});
        rows.push_back({"upstream", found.upstream});
        rows.push_back({"auth", found.auth});
        rows.push_back({"scopes needed", join(found.scopes_needed)});
        if (!found.any_scope_needed.empty())
            rows.push_back({"one of", join(found.any_scope_needed)});
        rows.push_back({"scopes held", join(found.scopes_held)});
        if (!found.scopes_missing.empty())
            rows.push_back({"scopes missing", join(found.scopes_missing)});
        rows.push_back({"environments", join(found.environments)});
    }
    for (const ExplainedLimit& limit : found.limits)
        rows.push_back({"limit", limit.name + ": " + limit.amount + " per " + limit.per + " (" +
                                     limit.declared_in + (limit.enforced ? ")" : ", not enforced)")});
    const std::string verdict = found.admitted() ? "admitted"
                                                 : std::to_string(status_of(found.refusal)) + " " +
                                                       std::string{code_of(found.refusal)};
    rows.push_back({"verdict", verdict});
    rows.push_back({"", found.reason});
    std::cout << format_table(rows);
}

// The key of --key-id as stored, one made up from --scopes, or none.
std::optional<KeyRecord> caller_of(const ExplainOptions& options, const Settings& settings)
{
    if (!options.key_id.empty()) {
        const KeyId id = parse_key_id(options.key_id);
        StoreSession stores{settings};
        auto key = stores.run(stores.keys().get(id, std::nullopt));
        if (!key)
            fail(key.error());
        return std::move(*key);
    }
    if (!options.scopes)
        return std::nullopt;
    KeyRecord key;
    key.status = KeyStatus::active;
    key.tenant = parse_tenant(options.tenant);
    key.scopes = split_list(*options.scopes);
    const auto environment = parse_environment(options.environment);
    if (!environment)
        throw CommandFailed{"--env: '" + options.environment + "' must be live or test"};
    key.environment = *environment;
    if (!options.plan.empty())
        key.plan = options.plan;
    return key;
}

int run_explain(const ExplainOptions& options)
{
    const Settings settings = load_configuration(options.common->config);
    const auto client = Address::parse(options.address);
    if (!client)
        throw CommandFailed{"--address: '" + options.address + "' is not an IP address"};
    const auto caller = caller_of(options, settings);
    const Explanation found =
        explain_request(settings, caller, *client, options.method, options.url, wall_now());
    if (options.common->json)
        print_json(found);
    else
        print_text(found);
    return 0;
}

} // namespace

void add_explain(CLI::App& app, Chosen& chosen)
{
    CLI::App* command =
        app.add_subcommand("explain", "Say what the gateway would decide about a request, and why");
    command->footer(
        "Example: portcullis explain --scopes orders:read GET https://api.example.com/v1/orders --config "
        "gateway.yaml");
    auto options = std::make_shared<ExplainOptions>();
    options->common = add_common_options(*command, true);
    auto* key = command->add_option("--key-id", options->key_id, "Ask as this stored key");
    command->add_option("--scopes", options->scopes, "Ask as a key with these scopes, comma-separated")
        ->excludes(key);
    command->add_option("--tenant", options->tenant, "With --scopes: the key's tenant")
        ->capture_default_str();
    command->add_option("--env", options->environment, "With --scopes: the key's environment")
        ->capture_default_str();
    command->add_option("--plan", options->plan, "With --scopes: the key's plan");
    command->add_option("--address", options->address, "The client's address")->capture_default_str();
    command->add_option("METHOD", options->method, "The request's method")->required();
    command->add_option("URL", options->url, "Absolute URL, or a path")->required();
    command->callback([&chosen, options] {
        chosen = {"explain", [options] { return run_explain(*options); }};
    });
}

} // namespace gw::cli
