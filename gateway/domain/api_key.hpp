// The API key as text: `<brand>_<env>_<key_id><secret><crc>` (DESIGN.md section 5). Generating, parsing,
// hashing and comparing, without I/O. Parsing is the first step of the verification ladder: it must cost
// nanoseconds and allocate nothing, since strangers reach it.
#pragma once

#include "domain/ids.hpp"
#include "domain/secret.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gw {

enum class Environment : std::uint8_t { live, test };

std::string_view to_string(Environment environment) noexcept;
std::optional<Environment> parse_environment(std::string_view text) noexcept;

constexpr std::size_t k_secret_length = 32;
constexpr std::size_t k_crc_length = 6;

// What a well-formed key says about itself. `secret` is a view into the parsed text.
struct PresentedKey {
    KeyId id;
    Environment environment = Environment::live;
    std::string_view secret;
};

// Shape and checksum. Empty if `text` is not `<brand>_(live|test)_` followed by 54 base62 characters whose
// last six are the CRC-32 of all that precedes them. Never allocates; time does not depend on the secret.
std::optional<PresentedKey> parse_api_key(std::string_view text, std::string_view brand) noexcept;

// True if `text` starts with `<brand>_(live|test)_`, whatever follows: a damaged key of this gateway is ours to
// refuse and never taken for an upstream's own token.
bool has_api_key_shape(std::string_view text, std::string_view brand) noexcept;

// A new key: the full text to hand out once, and its parts.
struct GeneratedKey {
    KeyId id;
    Secret text;   // the whole key
    Secret secret; // its 32 secret characters
    std::string last4; // of the whole text, for display
};

// A new random id and secret from the operating system's generator; throws std::system_error if that fails.
GeneratedKey generate_api_key(std::string_view brand, Environment environment);
// A new secret for an existing key.
GeneratedKey generate_api_key(std::string_view brand, Environment environment, const KeyId& id);

// "pc_live_4fQz0c9XkT2mB7aP": what may be shown of a key.
std::string api_key_prefix(std::string_view brand, Environment environment, const KeyId& id);

using Sha256 = std::array<unsigned char, 32>;
Sha256 sha256(std::string_view text) noexcept;
Sha256 hmac_sha256(std::string_view key, std::string_view text) noexcept;

// The digest that lies beside the hash: HMAC-SHA-256 under `pepper` over the length-prefixed
// (tenant, key_id, version, secret), so that a digest copied to another key or version matches nothing.
Sha256 api_key_digest(std::string_view pepper, const TenantId& tenant, const KeyId& id, std::uint32_t version,
                      std::string_view secret);

// bcrypt ("$2b$") of the secret through crypt_r. 50-150 ms of CPU at cost 10: call it on the hash pool only.
// `cost` is 4..16; bcrypt reads 72 bytes at most, so a longer secret, or one with a NUL in it, is refused.
// Throws std::system_error (EINVAL for such arguments) if the system's generator or crypt_r fails.
std::string hash_api_key(std::string_view secret, int cost);
// Costs what the hash says. False also if `hash` is not a bcrypt hash of cost 4..16.
bool verify_api_key(std::string_view secret, const std::string& hash) noexcept;

// Random bytes from the operating system (getrandom); throws std::system_error.
void random_bytes(std::span<unsigned char> out);
// `length` characters of base62, each uniformly random (about 5.95 bits).
std::string random_base62(std::size_t length);

std::string to_hex(std::span<const unsigned char> bytes);
std::optional<std::string> from_hex(std::string_view hex); // bytes

} // namespace gw
