// Reading `stores.secrets.vault`.
#pragma once

#include "settings/reader.hpp"

namespace gw {

// What is wrong is noted at its place and left at its default.
VaultSettings read_vault(const Mapping& vault);

} // namespace gw
