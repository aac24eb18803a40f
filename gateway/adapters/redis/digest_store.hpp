// The digests that a fleet shares: a value a key under `<prefix>:digests:1:<key_id>`, which ends some time
// after its last use. A key_id is public, and a value says nothing without the pepper: each digest is an HMAC
// that binds tenant, key_id and version, so what is written or copied here without it matches no secret.
#pragma once

#include "adapters/redis/clients.hpp"
#include "ports/digest_store.hpp"

#include <chrono>
#include <string>

namespace gw::redis {

class DigestStore final : public gw::DigestStore {
public:
    struct Options {
        std::string key_prefix = "portcullis";
        std::chrono::seconds keep = std::chrono::days{30}; // after the last put or, within a day, find
    };
    // `clients` must outlive the store.
    DigestStore(Clients& clients, Options options);

    awaitable<result<std::optional<VerifiedDigests>>> find(const KeyId& id) override;
    awaitable<result<void>> put(const KeyId& id, const VerifiedDigests& digests) override;
    awaitable<result<void>> erase(const KeyId& id) override;

private:
    std::string name_of(const KeyId& id) const;

    Clients& clients_;
    Options options_;
    Script find_, put_;
};

} // namespace gw::redis
