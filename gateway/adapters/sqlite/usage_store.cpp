#include "adapters/sqlite/usage_store.hpp"

#include "adapters/sqlite/calls.hpp"
#include "adapters/sqlite/last_uses.hpp"
#include "adapters/sqlite/usage_rows.hpp"

namespace gw::sqlite {

namespace {

std::uint64_t sequence_of(Connection& usage, const std::string& node)
{
    auto row = usage.prepare("SELECT sequence FROM usage_applied WHERE node = ?");
    row.bind(node);
    return row.step() ? row.unsigned_integer(0) : 0;
}

std::string select_usage(const UsageQuery& query)
{
    std::string sql =
        "SELECT " + std::string{k_usage_columns} + " FROM usage_minutes WHERE minute >= ? AND minute < ?";
    if (query.tenant)
        sql += " AND tenant = ?";
    if (query.key)
        sql += " AND key_id = ?";
    if (query.route)
        sql += " AND route = ?";
    return sql + " ORDER BY minute, tenant, key_id, version, route";
}

} // namespace

UsageStore::UsageStore(Database& database, BlockingPool& pool, std::function<WallTime()> clock)
    : database_(database), pool_(pool), clock_(std::move(clock))
{
}

awaitable<result<void>> UsageStore::apply(const UsageBatch& batch)
{
    auto work = [&](Connection& usage) -> result<void> {
        if (batch.sequence <= sequence_of(usage, batch.node))
            return {}; // a repetition
        for (const auto& row : batch.rows)
            add_usage(usage, row);
        for (const auto& use : batch.last_uses)
            write_last_use(usage, use);
        usage.prepare("INSERT OR REPLACE INTO usage_applied (node, sequence, applied_at) VALUES (?, ?, ?)")
            .bind(batch.node, batch.sequence, clock_())
            .run();
        return {};
    };
    co_return co_await write(database_.usage(), database_.deadline(), work);
}

awaitable<result<std::uint64_t>> UsageStore::last_sequence(const std::string& node)
{
    auto work = [&](Connection& usage) -> result<std::uint64_t> { return sequence_of(usage, node); };
    co_return co_await sqlite::read(database_.usage(), pool_, database_.deadline(), work);
}

awaitable<result<std::vector<UsageRow>>> UsageStore::read(const UsageQuery& query)
{
    auto work = [&](Connection& usage) -> result<std::vector<UsageRow>> {
        auto rows = usage.prepare(select_usage(query));
        rows.bind(query.from, query.until);
        if (query.tenant)
            rows.bind(*query.tenant);
        if (query.key)
            rows.bind(query.key->view());
        if (query.route)
            rows.bind(*query.route);
        std::vector<UsageRow> found;
        while (rows.step())
            found.push_back(read_usage(rows));
        return found;
    };
    co_return co_await sqlite::read(database_.usage(), pool_, database_.deadline(), work);
}

} // namespace gw::sqlite
