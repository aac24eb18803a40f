#include "adapters/sqlite/audit_log.hpp"

#include "adapters/sql/record_codec.hpp"
#include "adapters/sqlite/calls.hpp"
#include "adapters/sqlite/journal.hpp"

namespace gw::sqlite {

using namespace sql;

namespace {

AuditEntry read_entry(const Statement& row)
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

std::string select_entries(const AuditQuery& query)
{
    std::string sql =
        "SELECT sequence, at, tenant, actor_type, actor, action, target_type, target, details, address,"
        " user_agent, request_id FROM audit WHERE sequence < ?";
    if (query.tenant)
        sql += " AND tenant = ?";
    if (query.target)
        sql += " AND target = ?";
    if (query.action)
        sql += " AND action = ?";
    return sql + " ORDER BY sequence DESC LIMIT ?";
}

} // namespace

AuditLog::AuditLog(Database& database, BlockingPool& pool, std::function<WallTime()> clock)
    : database_(database), pool_(pool), clock_(std::move(clock))
{
}

awaitable<result<std::vector<AuditEntry>>> AuditLog::list(const AuditQuery& query)
{
    auto work = [&](Connection& connection) -> result<std::vector<AuditEntry>> {
        auto rows = connection.prepare(select_entries(query));
        rows.bind(std::min<std::uint64_t>(query.before, INT64_MAX));
        for (const auto* filter : {&query.tenant, &query.target, &query.action})
            if (*filter)
                rows.bind(**filter);
        rows.bind(std::min<std::uint64_t>(query.limit, INT64_MAX));
        std::vector<AuditEntry> entries;
        while (rows.step())
            entries.push_back(read_entry(rows));
        return entries;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<void>> AuditLog::append(const AuditEntry& entry)
{
    auto work = [&](Connection& connection) -> result<void> {
        write_audit(connection, entry, clock_());
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

} // namespace gw::sqlite
