// The bootstrap management key: from the configuration, or made at the first start.
#pragma once

#include "domain/secret.hpp"
#include "settings/settings.hpp"

#include <filesystem>

namespace gw {

// Where a made one lies: `management.key` beside the database, 0600.
std::filesystem::path management_key_file(const Settings& settings);

// Throws std::exception if the file can neither be read nor made.
Secret management_key(const Settings& settings);

} // namespace gw
