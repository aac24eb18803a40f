// Options of `portcullis keys ...` as requests. What only the configuration can judge (scopes, plans) is left
// to the key service.
#include "cli/key_options.hpp"

#include "admin/json.hpp"
#include "cli/commands.hpp"
#include "settings/units.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>

namespace gw::cli {

namespace {

void declare_field_options(CLI::App& command, KeyOptions& options)
{
    command.add_option("--plan", options.plan, "Plan from the configuration");
    command.add_option("--expires", options.expires, "24h, 90d (units s, m, h, d), or an RFC 3339 time");
    command.add_option("--description", options.description, "Up to 500 characters");
    command.add_option("--external-id", options.external_id,
                       "The key's id in another system; unique in the tenant");
    command.add_option("--metadata", options.metadata, "A JSON object of up to 4 KiB");
    command.add_option("--allow-ip", options.allowed_ips,
                       "Address or CIDR network that may use the key; repeatable");
}

WallTime parse_expiry(const std::string& text, WallTime now)
{
    if (const auto length = parse_duration(text))
        return now + *length;
    if (const auto when = parse_rfc3339(text))
        return *when;
    throw CommandFailed{"--expires: '" + text + "' is neither a duration such as 24h nor an RFC 3339 time"};
}

std::vector<Network> parse_networks(const std::vector<std::string>& texts)
{
    std::vector<Network> out;
    for (const std::string& text : texts) {
        const auto network = Network::parse(text);
        if (!network)
            throw CommandFailed{"--allow-ip: '" + text +
                                "' is not an address or a CIDR network without host bits"};
        out.push_back(*network);
    }
    return out;
}

std::string parse_metadata(const std::string& text)
{
    const auto object = BodyObject::parse(text);
    if (!object)
        throw CommandFailed{"--metadata: " + object.error().detail};
    return boost::json::serialize(object->raw());
}

Environment parse_env(const std::string& text)
{
    if (const auto environment = parse_environment(text))
        return *environment;
    throw CommandFailed{"--env: '" + text + "' must be live or test"};
}

// "user:ada" or "service:billing"; without a type it is a service.
Owner parse_owner(const std::string& text)
{
    Owner owner;
    const std::size_t colon = text.find(':');
    owner.type = colon == std::string::npos ? "service" : text.substr(0, colon);
    const auto id = OwnerId::parse(colon == std::string::npos ? text : text.substr(colon + 1));
    if (!id || (owner.type != "user" && owner.type != "service"))
        throw CommandFailed{"--owner: '" + text +
                            "' must be ID, user:ID or service:ID, the ID 1 to 64 characters of "
                            "A-Z a-z 0-9 . _ @ -"};
    owner.id = *id;
    return owner;
}

} // namespace

void declare_create_options(CLI::App& command, KeyOptions& options)
{
    command.add_option("--tenant", options.tenant, "Tenant that the key belongs to")->required();
    command.add_option("--name", options.name, "What the key is for, 1 to 80 characters")->required();
    command.add_option("--scopes", options.scopes, "Comma-separated, for example orders:read,orders:write")
        ->required();
    command.add_option("--env", options.environment, "live (default) or test");
    command.add_option("--owner", options.owner, "ID, user:ID or service:ID; the caller if absent");
    declare_field_options(command, options);
}

void declare_change_options(CLI::App& command, KeyOptions& options)
{
    command.add_option("--name", options.name, "New name");
    command.add_option("--scopes", options.scopes, "All scopes that the key is to have, comma-separated");
    declare_field_options(command, options);
    command.add_flag("--any-ip", options.any_ip, "Remove the address allow-list");
    command.footer(command.get_footer() +
                   "\nAn empty value removes a plan, expiry, description or external id: "
                   "--plan ''");
}

void declare_list_options(CLI::App& command, KeyOptions& options)
{
    command.add_option("--tenant", options.tenant, "Only this tenant's");
    command.add_option("--status", options.status, "Only active, disabled or revoked ones")
        ->check(CLI::IsMember({"active", "disabled", "revoked"}));
    command.add_option("--env", options.environment, "Only live or test ones");
    command.add_option("--owner", options.owner, "Only this owner's, by id");
    command.add_option("--search", options.search,
                       "Part of the name, the key id or the last four characters");
}

void declare_id_options(CLI::App& command, KeyOptions& options)
{
    command.add_option("key_id", options.id, "The key's id, 16 letters and digits")->required();
    command.add_option("--tenant", options.tenant, "Refuse if the key is another tenant's");
}

CreateKey to_create_request(const KeyOptions& options, WallTime now)
{
    CreateKey request;
    request.tenant = parse_tenant(options.tenant);
    request.name = options.name.value_or("");
    request.scopes = split_list(options.scopes.value_or(""));
    request.management = std::ranges::any_of(
        request.scopes, [](const std::string& scope) { return scope.starts_with("platform:"); });
    if (options.environment)
        request.environment = parse_env(*options.environment);
    if (options.owner)
        request.owner = parse_owner(*options.owner);
    request.plan = options.plan;
    request.description = options.description;
    request.external_id = options.external_id;
    if (options.metadata)
        request.metadata = parse_metadata(*options.metadata);
    if (options.expires)
        request.expires_at = parse_expiry(*options.expires, now);
    request.allowed_ips = parse_networks(options.allowed_ips);
    return request;
}

KeyChanges to_changes(const KeyOptions& options, WallTime now)
{
    using Text = std::optional<std::string>;
    const auto cleared = [](const Text& given) -> std::optional<Text> {
        if (!given)
            return std::nullopt;
        return given->empty() ? Text{} : given;
    };
    KeyChanges changes;
    changes.name = options.name;
    if (options.scopes)
        changes.scopes = split_list(*options.scopes);
    changes.plan = cleared(options.plan);
    changes.description = cleared(options.description);
    changes.external_id = cleared(options.external_id);
    if (options.metadata)
        changes.metadata = parse_metadata(*options.metadata);
    if (options.expires)
        changes.expires_at =
            options.expires->empty() ? std::optional<WallTime>{} : parse_expiry(*options.expires, now);
    if (!options.allowed_ips.empty() || options.any_ip)
        changes.allowed_ips = parse_networks(options.allowed_ips);
    return changes;
}

KeyQuery to_query(const KeyOptions& options)
{
    KeyQuery query;
    query.tenant = tenant_filter(options);
    if (options.status == "active")
        query.status = KeyStatus::active;
    else if (options.status == "disabled")
        query.status = KeyStatus::disabled;
    else if (options.status == "revoked")
        query.status = KeyStatus::revoked;
    if (options.environment)
        query.environment = parse_env(*options.environment);
    query.owner = options.owner;
    query.text = options.search;
    return query;
}

std::optional<TenantId> tenant_filter(const KeyOptions& options)
{
    if (options.tenant.empty())
        return std::nullopt;
    return parse_tenant(options.tenant);
}

} // namespace gw::cli
