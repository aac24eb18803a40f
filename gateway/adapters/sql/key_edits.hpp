// What each change of a key does to its record. No I/O: the record goes in as it was found, and comes out as
// it is to be saved. True: save it; false: nothing to change.
#pragma once

#include "ports/key_store.hpp"

namespace gw::sql {

result<bool> make_active(KeyRecord& record);
result<bool> make_version_live(KeyRecord& record, std::uint32_t number, WallTime overlap_end, WallTime now);
result<bool> apply_changes(KeyRecord& record, const KeyChanges& changes,
                           std::optional<std::uint64_t> if_version);
result<bool> make_revoked(KeyRecord& record, const std::optional<std::string>& reason, WallTime now);

} // namespace gw::sql
