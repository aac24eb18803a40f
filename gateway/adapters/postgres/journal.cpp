#include "adapters/postgres/journal.hpp"

namespace gw::postgres {

void write_change(Connection& connection, Change::Subject subject, std::string_view id,
                  std::uint64_t record_version, WallTime at)
{
    // The counter's row stays locked until the commit, so the next number is given only when this one can be
    // seen: commit order is sequence order. The notification goes out with the commit.
    connection.query("WITH next AS (UPDATE change_counter SET last = last + 1 RETURNING last),"
                     " written AS (INSERT INTO changes (sequence, subject, id, record_version, at)"
                     " SELECT last, $1::text, $2::text, $3::bigint, $4::bigint FROM next RETURNING sequence)"
                     " SELECT pg_notify($5::text, '') FROM written",
                     subject == Change::Subject::key ? "key" : "tenant", id, record_version, at,
                     k_change_channel);
}

void write_audit(Connection& connection, const AuditEntry& entry, WallTime now)
{
    const WallTime at = entry.at == WallTime{} ? now : entry.at;
    connection.query(
        "INSERT INTO audit (at, tenant, actor_type, actor, action, target_type, target, details, address,"
        " user_agent, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        at, entry.tenant, entry.actor_type, entry.actor, entry.action, entry.target_type, entry.target,
        entry.details, entry.address, entry.user_agent, entry.request_id);
}

} // namespace gw::postgres
