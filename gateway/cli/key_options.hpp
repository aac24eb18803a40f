// The options of `portcullis keys ...`, and what they mean to the key service.
#pragma once

#include "cli/configuration.hpp"
#include "keys/key_service.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace gw::cli {

struct KeyOptions {
    std::shared_ptr<CommonOptions> common;
    std::string id;
    std::string tenant, status, search; // list; `tenant` also guards the commands on one key
    // create and update; absent: not given
    std::optional<std::string> name, scopes, environment, plan, expires, owner, description, external_id,
        metadata;
    std::vector<std::string> allowed_ips;
    bool any_ip = false; // update: removes the allow-list
    std::string overlap = "24h", reason;
};

void declare_create_options(CLI::App& command, KeyOptions& options);
void declare_change_options(CLI::App& command, KeyOptions& options);
void declare_list_options(CLI::App& command, KeyOptions& options);
// The key id, and --tenant.
void declare_id_options(CLI::App& command, KeyOptions& options);

// Each throws CommandFailed that names the option.
CreateKey to_create_request(const KeyOptions& options, WallTime now);
KeyChanges to_changes(const KeyOptions& options, WallTime now);
KeyQuery to_query(const KeyOptions& options);
std::optional<TenantId> tenant_filter(const KeyOptions& options);

} // namespace gw::cli
