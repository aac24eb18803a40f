// What commands share: loading the configuration with every problem reported, who runs the command, and the
// two forms of output.
#pragma once

#include "keys/key_service.hpp"
#include "settings/load.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace gw::cli {

// The options of every command that reads the configuration; they live as long as the parser.
struct CommonOptions {
    std::string config = "config/gateway.dev.yaml";
    bool json = false;
};
// Declares --config, and --json if `with_json`.
std::shared_ptr<CommonOptions> add_common_options(CLI::App& command, bool with_json);

// The configuration with all that is wrong with it, errors and warnings.
Loaded check_configuration(const std::string& file);
// The same for commands that need a good one: throws CommandFailed with a line for every error.
Settings load_configuration(const std::string& file);

// The operating system's user who runs the command: may do everything.
Actor command_line_actor();
AuditEntry command_line_audit(std::string action, std::string target_type, std::string target,
                              const TenantId& tenant);

// Throws CommandFailed that names every field.
[[noreturn]] void fail(const KeyProblem& problem);
[[noreturn]] void fail(boost::system::error_code fault);
TenantId parse_tenant(const std::string& text);
KeyId parse_key_id(const std::string& text);
// "a,b,c" without empty parts.
std::vector<std::string> split_list(const std::string& text);

// Aligned columns; the first row is the heading. Control characters are shown as '?'.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

} // namespace gw::cli
