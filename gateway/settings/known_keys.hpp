// Every key of the configuration, once. What stands here and is built must also stand in
// config/gateway.example.yaml and config/gateway.schema.json, and the other way round; a test holds all three
// together.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace gw {

// A leaf by its place: `[]` for the items of a list of mappings, `*` for keys that the author chooses.
struct KnownKey {
    std::string_view place; // "routes[].limits[].rate"
    bool built = true;      // false: part of the design, refused by this version
};

std::span<const KnownKey> known_keys() noexcept;

enum class KeyStatus : unsigned char { unknown, not_built, built };
// `parent` is the place of the mapping, empty for the root.
KeyStatus status_of_key(std::string_view parent, std::string_view key);
// The built keys of that mapping, for suggestions.
std::vector<std::string_view> keys_of(std::string_view parent);

} // namespace gw
