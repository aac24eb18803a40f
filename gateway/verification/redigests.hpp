// After a rotation of the pepper: keys that were verified again and whose digests still lie under an older one. Their
// secrets were there for a moment, so the digest under the current pepper could be made; this is what waits to be
// written, into the Vault and into the shared digests, one after another in the background.
#pragma once

#include "domain/api_key.hpp"
#include "domain/errors.hpp"
#include "net/asio.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gw {

class DigestStore;
class SecretVault;

struct Redigest {
    TenantId tenant;
    KeyId key;
    std::uint64_t record_version = 0;
    std::uint32_t version = 0;
    std::vector<std::uint32_t> live_versions; // of the key, this one included
    Sha256 digest{};
    std::string pepper_id;
};

class Redigests {
public:
    explicit Redigests(std::size_t most_waiting = 65'536) : most_waiting_(most_waiting) {}

    // False if it waits already or there is no room: the key's next verification tries again. Any thread.
    bool push(Redigest item);
    std::size_t waiting() const;

    // Writes at most `most` of them. One caller at a time. A key that was destroyed meanwhile stays so; a Vault that
    // refuses (a gateway node may only read) keeps nothing from being shared.
    awaitable<std::size_t> write_some(SecretVault& vault, DigestStore& digests, std::size_t most);

private:
    std::optional<Redigest> pop();

    const std::size_t most_waiting_;
    mutable std::mutex mutex_;
    std::deque<Redigest> waiting_;
    std::set<std::pair<KeyId, std::uint32_t>> names_; // of those in waiting_
};

} // namespace gw
