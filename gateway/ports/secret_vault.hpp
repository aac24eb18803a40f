// Where secrets rest: key hashes and digests at `api_keys/{tenant_id}/{key_id}`, the pepper, passwords.
// The shape of HashiCorp Vault's KV version 2: an entry has a version, a write may name the one it expects.
//
// errc::unavailable: sealed, unreachable or too slow. errc::corrupt: the entry does not authenticate.
// A path is relative: segments of [A-Za-z0-9._@-]+ joined by '/', no empty or dot segment (errc::invalid).
#pragma once

#include "domain/errors.hpp"
#include "domain/secret.hpp"
#include "net/asio.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace gw {

struct VaultEntry {
    Secret data;               // JSON text; its author knows the shape
    std::uint64_t version = 0; // 1 after the first write
};

class SecretVault {
public:
    virtual ~SecretVault() = default;

    virtual awaitable<result<std::optional<VaultEntry>>> read(const std::string& path) = 0;
    // Check-and-set: writes only if the entry's current version is `expected` (0: it must not exist), else
    // errc::conflict. Durable before it returns. The new version.
    virtual awaitable<result<std::uint64_t>> write(const std::string& path, const Secret& data,
                                                   std::uint64_t expected) = 0;
    // Removes the entry and all its versions beyond recovery. Destroying what is not there is not an error.
    virtual awaitable<result<void>> destroy(const std::string& path) = 0;
};

} // namespace gw
