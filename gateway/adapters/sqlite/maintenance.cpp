#include "adapters/sqlite/maintenance.hpp"

namespace gw::sqlite {

namespace {

constexpr std::uint64_t k_rows_at_once = 2'000;

// Repeats `sql`, which deletes at most k_rows_at_once rows older than its one parameter, until none is left.
result<std::uint64_t> delete_all(Database& database, DatabaseFile& file, std::string_view sql,
                                 std::int64_t bound)
{
    std::uint64_t deleted = 0, last = k_rows_at_once;
    while (last == k_rows_at_once) {
        const auto batch =
            file.write(database.deadline(), [&](Connection& connection) -> result<std::uint64_t> {
                return static_cast<std::uint64_t>(connection.prepare(sql).bind(bound, k_rows_at_once).run());
            });
        if (batch.has_error())
            return batch.error();
        last = *batch;
        deleted += last;
    }
    return deleted;
}

// The greatest sequence that may go: old enough, and not among the newest.
result<std::int64_t> last_change_to_drop(Database& database, WallTime now, const Keep& keep)
{
    return database.main().read(database.deadline(), [&](Connection& connection) -> result<std::int64_t> {
        auto row = connection.prepare("SELECT coalesce(max(sequence), 0) FROM changes WHERE at < ?"
                                      " AND sequence <= (SELECT max(sequence) FROM changes) - ?");
        row.bind(now - keep.changes, keep.newest_changes);
        return row.step() ? row.integer(0) : 0;
    });
}

result<void> tidy(Database& database, DatabaseFile& file)
{
    return file.maintain(database.deadline(), [](Connection& connection) -> result<void> {
        connection.execute("PRAGMA wal_checkpoint(PASSIVE); PRAGMA optimize");
        return {};
    });
}

result<Maintained> maintain_now(Database& database, WallTime now, const Keep& keep)
{
    Maintained done;
    const auto bound = last_change_to_drop(database, now, keep);
    if (bound.has_error())
        return bound.error();
    const auto ms = [](WallTime time) { return static_cast<std::int64_t>(time.time_since_epoch().count()); };
    const struct {
        DatabaseFile& file;
        std::string_view sql;
        std::int64_t bound;
        std::uint64_t& deleted;
    } steps[] = {
        {database.main(),
         "DELETE FROM changes WHERE sequence IN (SELECT sequence FROM changes WHERE sequence <= ? LIMIT ?)",
         *bound, done.changes},
        {database.main(),
         "DELETE FROM quotas WHERE (policy, partition, window_start, window_end) IN"
         " (SELECT policy, partition, window_start, window_end FROM quotas WHERE window_end < ? LIMIT ?)",
         ms(now - std::chrono::hours{1}), done.quota_windows},
        {database.usage(),
         "DELETE FROM usage_minutes WHERE (minute, tenant, key_id, version, route) IN"
         " (SELECT minute, tenant, key_id, version, route FROM usage_minutes WHERE minute < ? LIMIT ?)",
         ms(now - std::chrono::duration_cast<std::chrono::milliseconds>(keep.usage_minutes)),
         done.usage_minutes},
    };
    for (const auto& step : steps) {
        const auto deleted = delete_all(database, step.file, step.sql, step.bound);
        if (deleted.has_error())
            return deleted.error();
        step.deleted = *deleted;
    }
    for (auto* file : {&database.main(), &database.usage()})
        if (const auto tidied = tidy(database, *file); tidied.has_error())
            return tidied.error();
    return done;
}

} // namespace

awaitable<result<Maintained>> maintain(Database& database, BlockingPool& pool, WallTime now, Keep keep)
{
    auto work = [&] { return maintain_now(database, now, keep); };
    co_return co_await offload(pool, work);
}

} // namespace gw::sqlite
