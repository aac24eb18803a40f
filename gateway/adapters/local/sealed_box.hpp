// Seals text with AES-256-GCM: what comes out cannot be read, changed, or passed off under another label
// without the key. No files in here.
#pragma once

#include "domain/errors.hpp"
#include "domain/secret.hpp"

#include <string>
#include <string_view>

namespace gw::local {

class SealedBox {
public:
    // The key is derived from the 32-byte master key and the purpose, so that what one box has sealed means
    // nothing to another of the same master. Wiped when the box goes.
    SealedBox(const Secret& master_key, std::string_view purpose);

    // nonce (12 bytes, random for every call) | ciphertext | tag (16 bytes). `label` is authenticated, not
    // stored. With random nonces one key is good for 2^32 seals. Any thread; throws std::system_error.
    std::string seal(std::string_view text, std::string_view label) const;
    // errc::corrupt if any bit of it, or of the label, is not what it was. Any thread.
    result<Secret> open(std::string_view sealed, std::string_view label) const;

private:
    Secret key_; // 32 bytes
};

} // namespace gw::local
