// Keys that another gateway issued and that were imported: their text has no shape of ours, so it names no key_id.
// They are found by an index: the HMAC, under the import pepper, of a hash that the other gateway may have kept
// (or of the part of the text that names the key). Pure; strangers reach is_foreign_key and ForeignKey.
#pragma once

#include "domain/api_key.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gw {

// By what an imported key is found. The numbers and names are stored.
enum class ForeignIndex : std::uint8_t {
    sha256 = 1, // of the whole key; also plain keys, of which anything can be computed
    sha1,
    sha512,
    md5,
    dot_prefix,        // the text before the first '.', of keys hashed with a salt
    underscore_prefix, // the text before the last '_', likewise
};
inline constexpr std::array k_foreign_indexes{ForeignIndex::sha256,     ForeignIndex::sha1, ForeignIndex::sha512, ForeignIndex::md5,
                                       ForeignIndex::dot_prefix, ForeignIndex::underscore_prefix};
constexpr bool is_prefix(ForeignIndex index) noexcept { return index >= ForeignIndex::dot_prefix; }
std::string_view to_string(ForeignIndex index) noexcept;
std::optional<ForeignIndex> parse_foreign_index(std::string_view name) noexcept;

// A set of them, small enough to be atomic.
class ForeignIndexes {
public:
    constexpr ForeignIndexes() noexcept = default;
    constexpr explicit ForeignIndexes(std::uint8_t bits) noexcept : bits_(bits) {}
    constexpr void insert(ForeignIndex index) noexcept { bits_ |= bit(index); }
    constexpr bool contains(ForeignIndex index) const noexcept { return (bits_ & bit(index)) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr std::uint8_t bits() const noexcept { return bits_; }
    friend bool operator==(const ForeignIndexes&, const ForeignIndexes&) = default;

private:
    static constexpr std::uint8_t bit(ForeignIndex index) noexcept
    {
        return static_cast<std::uint8_t>(1u << static_cast<unsigned>(index));
    }
    std::uint8_t bits_ = 0;
};

constexpr std::size_t k_shortest_foreign_key = 8, k_longest_foreign_key = 512;

// May this text be an imported key: 8 to 512 visible ASCII characters that do not begin like a key of ours?
bool is_foreign_key(std::string_view text, std::string_view brand) noexcept;

// What the other gateway has to have kept for this index, of a key's whole text: the hash's bytes, or the prefix.
// Empty if the key has no such prefix.
std::string foreign_index_value(ForeignIndex index, std::string_view key);
// How long the hash is; 0 for prefixes.
std::size_t foreign_hash_bytes(ForeignIndex index) noexcept;
// The part after the prefix; the whole text if there is none.
std::string_view after_prefix(ForeignIndex index, std::string_view key) noexcept;

// What stands for the secret of an imported key wherever a secret of ours would stand (bcrypt, digests): 64 hex
// digits, the SHA-256 of index and value, since a key may be longer than the 72 bytes that bcrypt reads, and of a
// hashed one nobody knows more. `value` is of the whole key: a prefix has no secret.
Secret foreign_secret(ForeignIndex index, std::string_view value);

// What is in the index. Under a pepper, so that nobody tries keys on a copy of the database.
struct ForeignDigest {
    ForeignIndex index = ForeignIndex::sha256;
    Sha256 value{};
    friend bool operator==(const ForeignDigest&, const ForeignDigest&) = default;
};
ForeignDigest foreign_digest(std::string_view pepper, ForeignIndex index, std::string_view value);

} // namespace gw
