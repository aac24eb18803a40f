// `portcullis keys ...`: the same operations as the admin API, through the same key service. --json prints
// what the endpoint answers; `create` and `regenerate` are the only commands that ever print a secret, once.
#include "admin/json.hpp"
#include "app/store_session.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "cli/key_options.hpp"
#include "keys/key_service.hpp"
#include "keys/propagation.hpp"
#include "settings/units.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace gw::cli {

namespace {

using Options = std::shared_ptr<KeyOptions>;

std::string join(const std::vector<std::string>& texts)
{
    std::string out;
    for (const std::string& text : texts)
        out += (out.empty() ? "" : ",") + text;
    return out;
}

std::string time_or_dash(const std::optional<WallTime>& when)
{
    return when ? to_rfc3339(*when) : "-";
}

// "live", "live until ...", "ended ...".
std::string life_of(const KeyVersion& version)
{
    if (!version.is_live(wall_now()))
        return "ended " + time_or_dash(version.ends_at);
    return version.ends_at ? "live until " + to_rfc3339(*version.ends_at) : "live";
}

void print_record(const KeyRecord& key, const KeyRules& rules)
{
    std::vector<std::vector<std::string>> rows{
        {"key_id", key.id.str()},
        {"prefix", api_key_prefix(rules.brand, key.environment, key.id)},
        {"name", key.name},
        {"tenant", key.tenant.str()},
        {"owner", key.owner.type + " " + key.owner.id.str()},
        {"environment", std::string{to_string(key.environment)}},
        {"status", std::string{shown_status(key, wall_now())}},
        {"scopes", join(key.scopes)},
        {"plan", key.plan.value_or("-")},
        {"created", to_rfc3339(key.created_at) + " by " + key.created_by},
        {"expires", time_or_dash(key.expires_at)},
        {"last used", time_or_dash(key.last_used_at)},
    };
    for (const Network& network : key.allowed_ips)
        rows.push_back({"allowed ip", network.str()});
    for (const KeyVersion& version : key.versions)
        rows.push_back(
            {"version " + std::to_string(version.number), "..." + version.last4 + " " + life_of(version)});
    if (key.revoked_at)
        rows.push_back({"revoked", to_rfc3339(*key.revoked_at) + " " + key.revoked_reason.value_or("")});
    std::cout << format_table(rows);
}

int print(const KeyOptions& options, KeyService& keys, const KeyRecord& key)
{
    if (options.common->json)
        std::cout << key_to_json(key, keys.rules(), wall_now()) << '\n';
    else
        print_record(key, keys.rules());
    return 0;
}

int print_issued(const KeyOptions& options, KeyService& keys, const IssuedKey& issued)
{
    if (options.common->json) {
        std::cout << key_to_json(issued.record, keys.rules(), wall_now(), &issued.key) << '\n';
        return 0;
    }
    print_record(issued.record, keys.rules());
    std::cout << "\n  " << issued.key.reveal()
              << "\n\nThis is the key. It is shown once and cannot be shown again: "
              << "keep it in a secret store.\n";
    return 0;
}

int create(const KeyOptions& options)
{
    CreateKey request = to_create_request(options, wall_now());
    StoreSession stores{load_configuration(options.common->config)};
    const auto issued = stores.run(stores.keys().create(std::move(request), command_line_actor()));
    if (!issued)
        fail(issued.error());
    return print_issued(options, stores.keys(), *issued);
}

int regenerate(const KeyOptions& options)
{
    const KeyId id = parse_key_id(options.id);
    const auto overlap = parse_duration(options.overlap);
    if (!overlap)
        throw CommandFailed{"--overlap: '" + options.overlap +
                            "' is not a duration such as 24h; units are s, m, h, d"};
    StoreSession stores{load_configuration(options.common->config)};
    const auto tenant = tenant_filter(options);
    const auto issued = stores.run(stores.keys().regenerate(
        id, tenant, std::chrono::floor<std::chrono::seconds>(*overlap), command_line_actor()));
    if (!issued)
        fail(issued.error());
    return print_issued(options, stores.keys(), *issued);
}

int list(const KeyOptions& options)
{
    StoreSession stores{load_configuration(options.common->config)};
    KeyQuery query = to_query(options);
    std::vector<KeyRecord> found;
    for (;;) { // page by page: the command line shows them all
        query.limit = 100;
        auto page = stores.run(stores.keys().list(query));
        if (!page)
            fail(page.error());
        found.insert(found.end(), page->keys.begin(), page->keys.end());
        if (!page->next_cursor)
            break;
        query.cursor = *page->next_cursor;
    }
    if (options.common->json) {
        std::vector<std::string> members;
        for (const KeyRecord& key : found)
            members.push_back(key_to_json(key, stores.keys().rules(), wall_now()));
        std::cout << list_to_json(members, std::nullopt) << '\n';
        return 0;
    }
    std::vector<std::vector<std::string>> rows{
        {"KEY ID", "TENANT", "ENV", "STATUS", "NAME", "SCOPES", "EXPIRES"}};
    for (const KeyRecord& key : found)
        rows.push_back({key.id.str(), key.tenant.str(), std::string{to_string(key.environment)},
                        std::string{shown_status(key, wall_now())}, key.name, join(key.scopes),
                        time_or_dash(key.expires_at)});
    std::cout << format_table(rows);
    return 0;
}

int update(const KeyOptions& options)
{
    const KeyId id = parse_key_id(options.id);
    KeyChanges changes = to_changes(options, wall_now());
    StoreSession stores{load_configuration(options.common->config)};
    const auto tenant = tenant_filter(options);
    const auto key =
        stores.run(stores.keys().update(id, tenant, std::move(changes), std::nullopt, command_line_actor()));
    if (!key)
        fail(key.error());
    return print(options, stores.keys(), *key);
}

// The end of a key, and how far it has come over the nodes that run.
int print_ended(const KeyOptions& options, StoreSession& stores, const Settings& settings, const KeyRecord& key)
{
    PropagationWatch watch{stores.key_store(), stores.nodes(), settings.keys.stale_while_unavailable};
    const Propagation propagation = stores.run(watch.wait(key.management));
    if (options.common->json) {
        std::string object = key_to_json(key, stores.keys().rules(), wall_now());
        std::cout << with_propagation(std::move(object), propagation) << '\n';
        return 0;
    }
    print_record(key, stores.keys().rules());
    if (!propagation.pending) {
        std::cout << "\nHow far this has come is not known: the store does not answer. It is certain on every node at "
                  << to_rfc3339(propagation.certain_at) << ".\n";
        return 0;
    }
    std::cout << "\napplied by " << propagation.applied.size() << " nodes\n";
    for (const std::string& node : *propagation.pending)
        std::cout << "not yet acknowledged by " << node << '\n';
    if (!propagation.pending->empty())
        std::cout << "certain on every node at " << to_rfc3339(propagation.certain_at) << '\n';
    return 0;
}

// show, disable, enable and revoke: one key in, the same key out.
int one_key(const KeyOptions& options, const std::string& operation)
{
    const KeyId id = parse_key_id(options.id);
    const Settings settings = load_configuration(options.common->config);
    StoreSession stores{settings};
    KeyService& keys = stores.keys();
    const auto tenant = tenant_filter(options);
    const auto reason = options.reason.empty() ? std::nullopt : std::optional{options.reason};
    const auto key = operation == "show"      ? stores.run(keys.get(id, tenant))
                     : operation == "disable" ? stores.run(keys.disable(id, tenant, command_line_actor()))
                     : operation == "enable"
                         ? stores.run(keys.enable(id, tenant, command_line_actor()))
                         : stores.run(keys.revoke(id, tenant, reason, command_line_actor()));
    if (!key)
        fail(key.error());
    if (operation == "disable" || operation == "revoke")
        return print_ended(options, stores, settings, *key);
    return print(options, keys, *key);
}

CLI::App* add_command(CLI::App& group, const std::string& name, const std::string& purpose,
                      const std::string& example, Options& options)
{
    CLI::App* command = group.add_subcommand(name, purpose);
    command->footer("Example: portcullis keys " + name + " " + example + " --config gateway.yaml");
    options = std::make_shared<KeyOptions>();
    options->common = add_common_options(*command, true);
    return command;
}

} // namespace

void add_keys(CLI::App& app, Chosen& chosen)
{
    CLI::App* group = app.add_subcommand("keys", "Create, list, change, regenerate and revoke API keys");
    group->require_subcommand(1);
    group->footer("Example: portcullis keys create --tenant acme --name billing --scopes orders:read --json");
    auto run_as = [&chosen](CLI::App* command, Options options, auto operation) {
        command->callback([&chosen, command, options, operation] {
            chosen = {"keys " + command->get_name(), [options, operation] { return operation(*options); }};
        });
    };

    Options options;
    CLI::App* command =
        add_command(*group, "create", "Create a key and print it, once",
                    "--tenant acme --name billing --scopes orders:read,orders:write --expires 90d", options);
    declare_create_options(*command, *options);
    run_as(command, options, create);

    command = add_command(*group, "list", "List keys", "--tenant acme --status active", options);
    declare_list_options(*command, *options);
    run_as(command, options, list);

    command = add_command(*group, "update", "Change a key's fields", "4fQz0c9XkT2mB7aP --scopes orders:read",
                          options);
    declare_id_options(*command, *options);
    declare_change_options(*command, *options);
    run_as(command, options, update);

    command =
        add_command(*group, "regenerate", "Give a key a new secret; the old one works on during the overlap",
                    "4fQz0c9XkT2mB7aP --overlap 24h", options);
    declare_id_options(*command, *options);
    command
        ->add_option("--overlap", options->overlap, "How long the old secret still works; 0s ends it at once")
        ->capture_default_str();
    run_as(command, options, regenerate);

    const std::vector<std::pair<std::string, std::string>> simple{
        {"show", "Show a key"},
        {"disable", "Refuse a key until it is enabled again"},
        {"enable", "Accept a disabled key again"},
        {"revoke", "End a key for good"}};
    for (const auto& [name, purpose] : simple) {
        command = add_command(*group, name, purpose, "4fQz0c9XkT2mB7aP", options);
        declare_id_options(*command, *options);
        if (name == "revoke")
            command->add_option("--reason", options->reason, "Kept with the key");
        run_as(command, options,
               [operation = name](const KeyOptions& given) { return one_key(given, operation); });
    }

    add_keys_import(*group, chosen);
}

} // namespace gw::cli
