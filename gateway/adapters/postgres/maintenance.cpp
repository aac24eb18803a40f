#include "adapters/postgres/maintenance.hpp"

#include "adapters/postgres/usage_rows.hpp"

namespace gw::postgres {

namespace {

constexpr std::uint64_t k_rows_at_once = 2'000;
constexpr int k_days_ahead = 3;

std::int64_t in_milliseconds(WallTime time)
{
    return static_cast<std::int64_t>(time.time_since_epoch().count());
}

// Repeats `sql`, which deletes at most $2 rows older than its $1, until none is left. Rows that another node
// deletes at this moment are left to it.
template <class Bound>
result<std::uint64_t> delete_all(Database& database, std::string_view sql, const Bound& bound)
{
    std::uint64_t deleted = 0, last = k_rows_at_once;
    while (last == k_rows_at_once) {
        const auto batch =
            database.write(database.deadline(), [&](Connection& connection) -> result<std::uint64_t> {
                return static_cast<std::uint64_t>(connection.query(sql, bound, k_rows_at_once).changed());
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
    return database.read(database.deadline(), [&](Connection& connection) -> result<std::int64_t> {
        return connection
            .query("SELECT coalesce(max(sequence), 0) FROM changes WHERE at < $1"
                   " AND sequence <= (SELECT last FROM change_counter) - $2::bigint",
                   now - keep.changes, keep.newest_changes)[0]
            .integer(0);
    });
}

// A day's partition is dropped under a lock on the whole table: rather next time than with everyone waiting
// behind a long report.
result<std::uint64_t> turn_days(Database& database, WallTime now, const Keep& keep)
{
    return database.write(database.deadline(), [&](Connection& connection) -> result<std::uint64_t> {
        connection.execute("SET LOCAL lock_timeout = '500ms'");
        for (int ahead = 0; ahead < k_days_ahead; ++ahead)
            connection.query("SELECT portcullis_usage.make_day($1)",
                             day_of(now + ahead * std::chrono::days{1}));
        const auto bound = now - std::chrono::duration_cast<std::chrono::milliseconds>(keep.usage_minutes);
        return connection.query("SELECT portcullis_usage.drop_days_before($1)", in_milliseconds(bound))[0]
            .unsigned_integer(0);
    });
}

result<Maintained> maintain_now(Database& database, WallTime now, const Keep& keep)
{
    Maintained done;
    const auto bound = last_change_to_drop(database, now, keep);
    if (bound.has_error())
        return bound.error();
    const auto silent_ms = std::chrono::duration_cast<std::chrono::milliseconds>(keep.silent_nodes).count();
    std::uint64_t sequences = 0;
    const struct {
        std::string_view sql;
        std::int64_t bound;
        std::uint64_t& deleted;
    } steps[] = {
        {"DELETE FROM changes WHERE sequence IN (SELECT sequence FROM changes WHERE sequence <= $1"
         " ORDER BY sequence LIMIT $2 FOR UPDATE SKIP LOCKED)",
         *bound, done.changes},
        {"DELETE FROM quotas WHERE ctid IN"
         " (SELECT ctid FROM quotas WHERE window_end < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
         in_milliseconds(now - std::chrono::hours{1}), done.quota_windows},
        {"DELETE FROM nodes WHERE node IN (SELECT node FROM nodes WHERE seen_at <"
         " clock_timestamp() - $1 * interval '1 millisecond' LIMIT $2 FOR UPDATE SKIP LOCKED)",
         silent_ms, done.nodes},
        {"DELETE FROM portcullis_usage.applied WHERE node IN (SELECT node FROM portcullis_usage.applied"
         " WHERE applied_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
         in_milliseconds(now - keep.usage_sequences), sequences},
    };
    for (const auto& step : steps) {
        const auto deleted = delete_all(database, step.sql, step.bound);
        if (deleted.has_error())
            return deleted.error();
        step.deleted = *deleted;
    }
    const auto days = turn_days(database, now, keep);
    if (days.has_error())
        return days.error();
    done.usage_days = *days;
    return done;
}

} // namespace

awaitable<result<Maintained>> maintain(Database& database, WallTime now, Keep keep)
{
    auto work = [&] { return maintain_now(database, now, keep); };
    co_return co_await offload(database.writing_pool(), work);
}

} // namespace gw::postgres
