// Imported keys, as far as all workers share them: which indexes hold any, and the look-up of a presented text. While
// nothing was ever imported a foreign text is refused without any look-up.
#pragma once

#include "domain/foreign_key.hpp"
#include "keys/pepper_ring.hpp"
#include "net/asio.hpp"
#include "ports/key_store.hpp"

#include <atomic>
#include <optional>
#include <string_view>

namespace gw {

class SecretVault;

class ForeignKeys {
public:
    // Any thread, no look-up. False also before the first refresh().
    bool are_any() const noexcept { return bits_.load(std::memory_order_acquire) != 0; }

    // Something was changed: the next refresh asks the store. Any thread.
    void may_have_changed() noexcept { is_stale_.store(true, std::memory_order_release); }
    // Asks which indexes are in use, if that may have changed. A fault leaves everything as it was, to be asked again.
    awaitable<result<void>> refresh(KeyStore& keys, SecretVault& vault);

    // The imported key whose text this is, or, where the index is a prefix, may be. Any thread.
    awaitable<result<std::optional<KeyStore::ImportedKey>>> find(KeyStore& keys, std::string_view text) const;

private:
    std::atomic<std::uint8_t> bits_{0};
    std::atomic<bool> is_stale_{true};
    PepperRing peppers_{k_import_pepper_path};
};

} // namespace gw
