// What commands share.
#include "cli/configuration.hpp"

#include "app/stores.hpp"
#include "cli/commands.hpp"
#include "settings/load.hpp"
#include "settings/validate.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>

#include <pwd.h>
#include <unistd.h>

namespace gw::cli {

std::shared_ptr<CommonOptions> add_common_options(CLI::App& command, bool with_json)
{
    auto options = std::make_shared<CommonOptions>();
    command.add_option("--config,-c", options->config, "The configuration file")->capture_default_str();
    if (with_json)
        command.add_flag("--json", options->json, "Print one JSON document on standard output");
    return options;
}

Loaded check_configuration(const std::string& file)
{
    Loaded loaded = load_settings_file(file);
    const auto is_of_vault = [](const Problem& problem) { return problem.path.starts_with("stores.secrets"); };
    if (loaded.wants_vault && loaded.settings.stores.vault && std::ranges::none_of(loaded.problems, is_of_vault))
        loaded = load_settings_file(file, Stores::vault_reader(loaded.settings));
    return validated(std::move(loaded));
}

Settings load_configuration(const std::string& file)
{
    Loaded checked = check_configuration(file);
    if (checked.ok())
        return std::move(checked.settings);
    std::vector<std::string> lines;
    for (const Problem& problem : checked.problems)
        if (problem.severity == Problem::Severity::error)
            lines.push_back(problem.str(file));
    throw CommandFailed{std::move(lines)};
}

Actor command_line_actor()
{
    const passwd* user = ::getpwuid(::getuid());
    Actor actor;
    actor.type = "operator";
    actor.id = user && user->pw_name ? user->pw_name : "uid:" + std::to_string(::getuid());
    actor.grants = {"*:*",
                    "platform:keys",
                    "platform:keys:read",
                    "platform:tenants",
                    "platform:tenants:read",
                    "platform:usage:read",
                    "platform:audit:read",
                    "platform:plans"};
    actor.may_set_limits = true;
    actor.user_agent = "portcullis/" GW_VERSION " (command line)";
    return actor;
}

AuditEntry command_line_audit(std::string action, std::string target_type, std::string target,
                              const TenantId& tenant)
{
    const Actor actor = command_line_actor();
    AuditEntry entry;
    entry.actor_type = actor.type;
    entry.actor = actor.id;
    entry.action = std::move(action);
    entry.target_type = std::move(target_type);
    entry.target = std::move(target);
    entry.tenant = tenant.str();
    entry.user_agent = actor.user_agent;
    entry.at = wall_now();
    return entry;
}

void fail(const KeyProblem& problem)
{
    std::vector<std::string> lines;
    for (const FieldError& field : problem.fields)
        lines.push_back(field.pointer + ": " + field.detail);
    if (!lines.empty())
        throw CommandFailed{std::move(lines)};
    if (!problem.detail.empty())
        throw CommandFailed{problem.detail};
    switch (problem.kind) {
    case KeyProblem::Kind::not_found:
        throw CommandFailed{"there is no such key"};
    case KeyProblem::Kind::stale:
        throw CommandFailed{"the key has changed meanwhile; try again"};
    case KeyProblem::Kind::unavailable:
        throw CommandFailed{"a store is out of reach; nothing was changed"};
    default:
        throw CommandFailed{"not possible"};
    }
}

void fail(boost::system::error_code fault)
{
    throw CommandFailed{fault.message()};
}

TenantId parse_tenant(const std::string& text)
{
    if (auto id = TenantId::parse(text))
        return *id;
    throw CommandFailed{"'" + text + "' is not a tenant id: 1 to 32 characters of a-z 0-9 -"};
}

KeyId parse_key_id(const std::string& text)
{
    if (const auto id = KeyId::parse(text))
        return *id;
    // The text is not repeated: it may be a whole key.
    throw CommandFailed{"not a key id: 16 letters and digits (the part after the environment in the key's prefix)"};
}

std::vector<std::string> split_list(const std::string& text)
{
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (end > begin)
            out.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

std::string format_table(const std::vector<std::vector<std::string>>& rows)
{
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::string cell = row[i];
            std::ranges::replace_if(
                cell, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
            out += cell;
            if (i + 1 < row.size())
                out.append(widths[i] - cell.size() + 2, ' ');
        }
        out += '\n';
    }
    return out;
}

} // namespace gw::cli
