// What every change leaves behind in its own transaction: a row of the change sequence and an audit entry.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "domain/key_record.hpp"

namespace gw::sqlite {

// `at` is when it is committed: nodes measure their delay from it.
void write_change(Connection& connection, Change::Subject subject, std::string_view id,
                  std::uint64_t record_version, WallTime at);
// An entry without a time of its own gets `now`. Its sequence is given here.
void write_audit(Connection& connection, const AuditEntry& entry, WallTime now);

} // namespace gw::sqlite
