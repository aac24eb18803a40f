// The master key of the sealed stores: from the settings, or in a 0600 file beside the store. Beside and not
// inside, so that a copied store folder is of no use to anyone.
#pragma once

#include "domain/secret.hpp"

#include <filesystem>
#include <optional>

namespace gw::local {

// `<folder>.key`: 64 hex digits and a line end.
std::filesystem::path key_file_of(const std::filesystem::path& folder);

// The 32 bytes of the key. `configured` (64 hex digits) wins over the file; the file is made at first use,
// and of two processes starting at once both get the one that was made first. `is_in_use`: something has been
// sealed already, so a missing file is an error and never replaced by a new key.
// Throws std::runtime_error, in words for the operator.
Secret load_master_key(const std::filesystem::path& folder, const std::optional<Secret>& configured,
                       bool is_in_use);

} // namespace gw::local
