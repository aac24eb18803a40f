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

struct VaultVersion {
    std::uint32_t number = 0;
    std::string hash;      // "$2b$..."
    Sha256 digest{};       // api_key_digest under the pepper with `pepper_id`
    std::string pepper_id;
};

struct VaultRecord {
    std::vector<VaultVersion> versions; // ascending

    const VaultVersion* find(std::uint32_t number) const noexcept;
    Secret to_json() const;
    static result<VaultRecord> from_json(const Secret& text); // errc::corrupt
};

std::string vault_path(const TenantId& tenant, const KeyId& id);

} // namespace gw
