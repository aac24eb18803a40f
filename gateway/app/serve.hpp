// `portcullis serve`: the whole system from start to the end of the drain.
#pragma once

#include "settings/settings.hpp"

namespace gw {

struct ServeOptions {
    enum class Role : std::uint8_t { all, gateway, admin } role = Role::all;
};

// Blocks until SIGTERM or SIGINT and the drain that follows it. Throws std::exception with a text for the
// terminal if the system cannot start. The exit code.
int serve(const Settings& settings, const ServeOptions& options);

} // namespace gw
