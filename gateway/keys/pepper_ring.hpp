// The peppers that key digests are made under: a Vault entry of its own (`platform/pepper`), two generations
// live, so that it can be rotated. Loaded once at start; reading it afterwards is lock-free and from any thread.
#pragma once

#include "domain/errors.hpp"
#include "domain/secret.hpp"
#include "net/asio.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

class SecretVault;

struct Pepper {
    std::string id; // 8 characters of base62
    Secret value;   // 32 random bytes, as 64 hex digits
};

class PepperRing {
public:
    // Reads the entry, or creates it with one fresh pepper if it is not there (two nodes starting at once agree
    // through check-and-set). Call before anything else uses the ring.
    awaitable<result<void>> load(SecretVault& vault, bool may_create = true);

    const Pepper& current() const noexcept { return *peppers_.front(); }
    // Empty if no live generation has this id.
    const Pepper* find(std::string_view id) const noexcept;

private:
    std::vector<std::unique_ptr<Pepper>> peppers_; // newest first, at most two
};

} // namespace gw
