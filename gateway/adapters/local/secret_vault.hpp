// The embedded secret vault: one sealed file for each entry under `<folder>/entries`, the master key beside
// the folder (sealed_files.hpp, master_key.hpp). Several processes may have it open at once.
#pragma once

#include "adapters/local/sealed_files.hpp"
#include "net/offload.hpp"
#include "ports/secret_vault.hpp"

#include <filesystem>
#include <optional>

namespace gw::local {

class SecretVault final : public gw::SecretVault {
public:
    // Opens or makes the store. `master_key`: 64 hex digits; empty: the file `<folder>.key`, made at first
    // use. `pool` does the file work and must outlive the vault. Throws std::runtime_error, in words for the
    // operator.
    SecretVault(const std::filesystem::path& folder, const std::optional<Secret>& master_key,
                BlockingPool& pool);

    awaitable<result<std::optional<VaultEntry>>> read(const std::string& path) override;
    awaitable<result<std::uint64_t>> write(const std::string& path, const Secret& data,
                                           std::uint64_t expected) override;
    awaitable<result<void>> destroy(const std::string& path) override;

private:
    SealedFiles files_;
    BlockingPool& pool_;
};

} // namespace gw::local
