// The embedded digest store: sealed files under `<folder>/digests`, beside the vault's entries and under the
// same master key, spread over sub-folders by the first two characters of the key_id. Not durable: what a
// power cut loses or spoils is hashed again. A spoiled entry reads as errc::corrupt until the next put
// replaces it.
#pragma once

#include "adapters/local/sealed_files.hpp"
#include "net/offload.hpp"
#include "ports/digest_store.hpp"

#include <filesystem>
#include <optional>

namespace gw::local {

class DigestStore final : public gw::DigestStore {
public:
    // As SecretVault's; give both the same folder and master key.
    DigestStore(const std::filesystem::path& folder, const std::optional<Secret>& master_key,
                BlockingPool& pool);

    awaitable<result<std::optional<VerifiedDigests>>> find(const KeyId& id) override;
    awaitable<result<void>> put(const KeyId& id, const VerifiedDigests& digests) override;
    awaitable<result<void>> erase(const KeyId& id) override;

private:
    SealedFiles files_;
    BlockingPool& pool_;
};

} // namespace gw::local
