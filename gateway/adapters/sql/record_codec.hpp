// How parts of a key record are written into text columns, and read back. What does not decode is thrown as
// StoreError with errc::corrupt: somebody else wrote the row.
#pragma once

#include "domain/key_record.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gw::sql {

[[noreturn]] void throw_corrupt(std::string_view what, std::string_view text);

std::string encode_scopes(const std::vector<std::string>& scopes);
std::string encode_limits(const std::vector<LimitPolicy>& limits);
std::string encode_networks(const std::vector<Network>& networks);

std::vector<std::string> decode_scopes(std::string_view json);
std::vector<LimitPolicy> decode_limits(std::string_view json);
std::vector<Network> decode_networks(std::string_view json);

KeyId decode_key_id(std::string_view text);
TenantId decode_tenant_id(std::string_view text);
Environment decode_environment(std::string_view text);
KeyStatus decode_key_status(std::string_view text);
VersionStatus decode_version_status(std::string_view text);

bool is_json_object(std::string_view text);

WallTime decode_time(std::int64_t milliseconds);

// What a list's text is looked for in: name, key_id and every last4, ASCII lower case, a line each, so that
// no search matches across two of them.
std::string search_text(const KeyRecord& record);

// ASCII letters only: the same in every store, whatever its collations.
std::string to_lower_ascii(std::string_view text);

} // namespace gw::sql
