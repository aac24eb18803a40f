#include "adapters/postgres/audit_log.hpp"

#include "adapters/postgres/calls.hpp"
#include "adapters/postgres/journal.hpp"
#include "adapters/sql/record_codec.hpp"

namespace gw::postgres {

using namespace sql;

namespace {

AuditEntry read_entry(const Row& row)
{
    AuditEntry entry;
    entry.sequence = row.unsigned_integer(0);
    entry.at = decode_time(row.integer(1));
    entry.tenant = row.text(2);
    entry.actor_type = row.text(3);
    entry.actor = row.text(4);
    entry.action = row.text(5);
    entry.target_type = row.text(6);
    entry.target = row.text(7);
    entry.details = row.text(8);
    entry.address = row.text(9);
    entry.user_agent = row.text(10);
    entry.request_id = row.text(11);
    return entry;
}

Rows select_entries(Connection& connection, const AuditQuery& query)
{
    std::string sql =
        "SELECT sequence, at, tenant, actor_type, actor, action, target_type, target, details, address,"
        " user_agent, request_id FROM audit WHERE sequence < $1";
    Parameters values;
    const auto next = [&](const auto& value) {
        values.add(value);
        return "$" + std::to_string(values.values().size());
    };
    next(std::min<std::uint64_t>(query.before, INT64_MAX));
    if (query.tenant)
        sql += " AND tenant = " + next(*query.tenant);
    if (query.target)
        sql += " AND target = " + next(*query.target);
    if (query.action)
        sql += " AND action = " + next(*query.action);
    sql += " ORDER BY sequence DESC LIMIT " + next(std::min<std::uint64_t>(query.limit, INT64_MAX));
    return connection.run(sql, values);
}

} // namespace

AuditLog::AuditLog(Database& database, std::function<WallTime()> clock)
    : database_(database), clock_(std::move(clock))
{
}

awaitable<result<std::vector<AuditEntry>>> AuditLog::list(const AuditQuery& query)
{
    auto work = [&](Connection& connection) -> result<std::vector<AuditEntry>> {
        const auto rows = select_entries(connection, query);
        std::vector<AuditEntry> entries;
        for (int i = 0; i < rows.size(); ++i)
            entries.push_back(read_entry(rows[i]));
        return entries;
    };
    co_return co_await read(database_, work);
}

awaitable<result<void>> AuditLog::append(const AuditEntry& entry)
{
    auto work = [&](Connection& connection) -> result<void> {
        write_audit(connection, entry, clock_());
        return {};
    };
    co_return co_await write(database_, work);
}

} // namespace gw::postgres
