// What every change leaves behind in its own transaction: a row of the change sequence, which also wakes the
// nodes, and an audit entry.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "domain/key_record.hpp"

namespace gw::postgres {

// The channel on which a commit with a change is announced.
inline const char* const k_change_channel = "portcullis_changes";

// `at` is when it is committed: nodes measure their delay from it. To be called last, shortly before the
// commit: from here to there every other change waits.
void write_change(Connection& connection, Change::Subject subject, std::string_view id,
                  std::uint64_t record_version, WallTime at);
// An entry without a time of its own gets `now`. Its sequence is given here.
void write_audit(Connection& connection, const AuditEntry& entry, WallTime now);

} // namespace gw::postgres
