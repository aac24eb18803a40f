// `portcullis rotate pepper`: a new generation comes into the Vault entry, the one before it stays live, the one
// before that goes. Digests are made anew under the new one as keys are used (verification/redigests.hpp), since
// nobody else knows the secrets; so before a generation goes it is counted how many keys would be left behind. Those
// fall back to bcrypt at their next use.
#pragma once

#include "keys/pepper_ring.hpp"

#include <optional>

namespace gw {

class KeyStore;

struct PepperRotation {
    std::string current;               // id of the new generation
    std::string previous;              // still live
    std::optional<std::string> ended;  // no longer
    WallTime since{};                  // when digests begin to be made under the new one
    std::size_t left_behind = 0;       // keys with a live version whose digest is under the ended one
    bool is_done = false;              // false: refused, because of those
};

// `grace`: how long the new generation is only read by the nodes before digests are made under it, so that none
// meets a digest it cannot check: at least twice the interval of their refreshes. `force`: rotates although keys are
// left behind. errc::conflict: somebody else is rotating; errc::not_found: there is no pepper yet.
awaitable<result<PepperRotation>> rotate_pepper(SecretVault& vault, KeyStore& keys, std::chrono::seconds grace, bool force,
                                                WallTime now);

// Keys that are neither revoked nor expired and have a live version with a digest under this generation.
awaitable<result<std::size_t>> count_digests_under(SecretVault& vault, KeyStore& keys, const std::string& pepper_id,
                                                   WallTime now);

} // namespace gw
