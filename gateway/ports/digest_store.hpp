// The shared digests: which secrets have passed bcrypt, so that a restart or another node hashes nothing
// again. Step 3 of the verification ladder. A match proves possession of a version, never its status.
// Values are HMACs under a pepper that is not in this store: writing here authenticates nobody.
#pragma once

#include "domain/api_key.hpp"
#include "domain/errors.hpp"
#include "net/asio.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gw {

struct VerifiedDigests {
    std::uint64_t record_version = 0; // of the record when they were verified
    std::string pepper_id;
    struct Version {
        std::uint32_t number = 0;
        Sha256 digest{};
        friend bool operator==(const Version&, const Version&) = default;
    };
    std::vector<Version> versions;
    friend bool operator==(const VerifiedDigests&, const VerifiedDigests&) = default;
};

class DigestStore {
public:
    virtual ~DigestStore() = default;

    virtual awaitable<result<std::optional<VerifiedDigests>>> find(const KeyId& id) = 0;
    // Replaces the entry, unless the stored one is of a newer record version: then nothing is written and the
    // call succeeds.
    virtual awaitable<result<void>> put(const KeyId& id, const VerifiedDigests& digests) = 0;
    virtual awaitable<result<void>> erase(const KeyId& id) = 0;
};

} // namespace gw
