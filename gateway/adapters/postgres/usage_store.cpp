#include "adapters/postgres/usage_store.hpp"

#include "adapters/postgres/calls.hpp"
#include "adapters/postgres/usage_rows.hpp"

namespace gw::postgres {

namespace {

// Takes the batch's place in the node's order, and holds it until the commit; false for a repetition.
bool take_sequence(Connection& connection, const UsageBatch& batch, WallTime now)
{
    return connection
               .query("INSERT INTO portcullis_usage.applied AS a (node, sequence, applied_at) VALUES ($1, "
                      "$2, $3)"
                      " ON CONFLICT (node) DO UPDATE SET sequence = excluded.sequence,"
                      " applied_at = excluded.applied_at WHERE a.sequence < excluded.sequence",
                      batch.node, batch.sequence, now)
               .changed() != 0;
}

Rows select_usage(Connection& connection, const UsageQuery& query)
{
    std::string sql = "SELECT " + std::string{k_usage_columns} +
                      " FROM portcullis_usage.minutes WHERE minute >= $1 AND minute < $2";
    Parameters values;
    const auto next = [&](const auto& value) {
        values.add(value);
        return "$" + std::to_string(values.values().size());
    };
    next(query.from);
    next(query.until);
    if (query.tenant)
        sql += " AND tenant = " + next(*query.tenant);
    if (query.key)
        sql += " AND key_id = " + next(query.key->view());
    if (query.route)
        sql += " AND route = " + next(*query.route);
    return connection.run(sql + " ORDER BY minute, tenant, key_id, version, route", values);
}

} // namespace

UsageStore::UsageStore(Database& database, std::function<WallTime()> clock)
    : database_(database), clock_(std::move(clock))
{
}

std::set<std::int64_t> UsageStore::unknown_days(const UsageBatch& batch)
{
    std::set<std::int64_t> days;
    for (const auto& row : batch.rows)
        days.insert(day_of(row.minute));
    const std::lock_guard lock{mutex_};
    for (const std::int64_t known : days_)
        days.erase(known);
    return days;
}

awaitable<result<void>> UsageStore::apply(const UsageBatch& batch)
{
    // In a transaction of their own: making one locks more than a batch should.
    const std::set<std::int64_t> missing = unknown_days(batch);
    auto make_days = [&](Connection& connection) -> result<void> {
        for (const std::int64_t day : missing)
            connection.query("SELECT portcullis_usage.make_day($1)", day);
        return {};
    };
    auto work = [&](Connection& connection) -> result<void> {
        if (!take_sequence(connection, batch, clock_()))
            return {};
        add_usage(connection, batch.rows);
        add_last_uses(connection, batch.last_uses);
        return {};
    };
    if (!missing.empty()) {
        const auto made = co_await write(database_, make_days);
        if (made.has_error())
            co_return made.error();
        const std::lock_guard lock{mutex_};
        days_.insert(missing.begin(), missing.end());
    }
    const auto applied = co_await write(database_, work);
    if (applied.has_error()) { // perhaps a day was dropped meanwhile: the batch will be sent again
        const std::lock_guard lock{mutex_};
        days_.clear();
    }
    co_return applied;
}

awaitable<result<std::uint64_t>> UsageStore::last_sequence(const std::string& node)
{
    auto work = [&](Connection& connection) -> result<std::uint64_t> {
        const auto rows =
            connection.query("SELECT sequence FROM portcullis_usage.applied WHERE node = $1", node);
        return rows.empty() ? 0 : rows[0].unsigned_integer(0);
    };
    co_return co_await postgres::read(database_, work);
}

awaitable<result<std::vector<UsageRow>>> UsageStore::read(const UsageQuery& query)
{
    auto work = [&](Connection& connection) -> result<std::vector<UsageRow>> {
        const auto rows = select_usage(connection, query);
        std::vector<UsageRow> found;
        for (int i = 0; i < rows.size(); ++i)
            found.push_back(read_usage(rows[i]));
        return found;
    };
    co_return co_await postgres::read(database_, work);
}

} // namespace gw::postgres
