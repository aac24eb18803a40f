// A key's Vault entry at `api_keys/{tenant_id}/{key_id}`: for every version its bcrypt hash and its digest.
// The database says which versions live; this says what proves them.
#pragma once

#include "domain/api_key.hpp"
#include "domain/errors.hpp"
#include "domain/key_record.hpp"
#include "domain/secret.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gw {

// What a version's hash is of. The last two are hashes that another gateway made, with a salt.
enum class HashedText : std::uint8_t {
    secret,          // our own secret, or the foreign_secret of an imported key
    whole_key,       // the text of the imported key
    after_dot,       // what follows its first '.'
    after_underscore // what follows its last '_'
};

// A pepper_id that no pepper has: of a version whose secret nobody has shown us yet. bcrypt alone can tell then.
inline constexpr const char* k_no_pepper = "none";

struct VaultVersion {
    std::uint32_t number = 0;
    std::string hash;      // "$2b$..."
    Sha256 digest{};       // api_key_digest under the pepper with `pepper_id`
    std::string pepper_id;
    HashedText of = HashedText::secret;
};

struct VaultRecord {
    std::vector<VaultVersion> versions; // ascending

    const VaultVersion* find(std::uint32_t number) const noexcept;
    Secret to_json() const;
    static result<VaultRecord> from_json(const Secret& text); // errc::corrupt
};

std::string vault_path(const TenantId& tenant, const KeyId& id);

} // namespace gw
