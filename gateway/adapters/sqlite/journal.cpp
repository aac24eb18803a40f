#include "adapters/sqlite/journal.hpp"

namespace gw::sqlite {

void write_change(Connection& connection, Change::Subject subject, std::string_view id,
                  std::uint64_t record_version, WallTime at)
{
    connection.prepare("INSERT INTO changes (subject, id, record_version, at) VALUES (?, ?, ?, ?)")
        .bind(subject == Change::Subject::key ? "key" : "tenant", id, record_version, at)
        .run();
}

void write_audit(Connection& connection, const AuditEntry& entry, WallTime now)
{
    const WallTime at = entry.at == WallTime{} ? now : entry.at;
    connection
        .prepare(
            "INSERT INTO audit (at, tenant, actor_type, actor, action, target_type, target, details, address,"
            " user_agent, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(at, entry.tenant, entry.actor_type, entry.actor, entry.action, entry.target_type, entry.target,
              entry.details, entry.address, entry.user_agent, entry.request_id)
        .run();
}

} // namespace gw::sqlite
