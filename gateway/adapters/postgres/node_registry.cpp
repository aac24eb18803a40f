#include "adapters/postgres/node_registry.hpp"

#include "adapters/postgres/calls.hpp"
#include "adapters/sql/record_codec.hpp"

namespace gw::postgres {

namespace {

// What read_states expects to be selected.
const std::string k_columns =
    "node, serves_data, serves_admin, release, applied,"
    " floor(extract(epoch FROM started_at) * 1000)::bigint,"
    " floor(extract(epoch FROM seen_at) * 1000)::bigint,"
    " greatest(0, floor(extract(epoch FROM clock_timestamp() - seen_at) * 1000))::bigint";
const std::string k_was_heard = "seen_at > clock_timestamp() - $1 * interval '1 millisecond'";

std::vector<NodeState> read_states(const Rows& rows)
{
    std::vector<NodeState> states;
    for (int i = 0; i < rows.size(); ++i) {
        const Row row = rows[i];
        NodeState state;
        state.beat.node = row.text(0);
        state.beat.serves_data = row.boolean(1);
        state.beat.serves_admin = row.boolean(2);
        state.beat.release = row.text(3);
        state.beat.applied = row.unsigned_integer(4);
        state.started_at = sql::decode_time(row.integer(5));
        state.seen_at = sql::decode_time(row.integer(6));
        state.silent_for = std::chrono::milliseconds{row.integer(7)};
        states.push_back(std::move(state));
    }
    return states;
}

} // namespace

awaitable<result<std::vector<NodeState>>> NodeRegistry::beat(const NodeBeat& beat,
                                                             std::chrono::milliseconds window)
{
    static const std::string sql =
        "WITH own AS (INSERT INTO nodes AS n (node, serves_data, serves_admin, release, applied, started_at, "
        "seen_at)"
        " VALUES ($2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())"
        " ON CONFLICT (node) DO UPDATE SET serves_data = excluded.serves_data, serves_admin = "
        "excluded.serves_admin,"
        " release = excluded.release, applied = greatest(n.applied, excluded.applied), seen_at = "
        "excluded.seen_at"
        " RETURNING *)"
        // The insertion cannot be seen by its own statement: the others are read, and the new row comes from
        // it.
        " SELECT " +
        k_columns + " FROM (SELECT * FROM own UNION ALL SELECT * FROM nodes WHERE node <> $2 AND " +
        k_was_heard + ") AS heard ORDER BY node";
    auto work = [&](Connection& connection) -> result<std::vector<NodeState>> {
        return read_states(connection.query(sql, window.count(), beat.node, beat.serves_data,
                                            beat.serves_admin, beat.release,
                                            std::min<std::uint64_t>(beat.applied, INT64_MAX)));
    };
    co_return co_await read(database_, work); // repeating a beat is no harm
}

awaitable<result<std::vector<NodeState>>> NodeRegistry::list(std::chrono::milliseconds window)
{
    static const std::string sql =
        "SELECT " + k_columns + " FROM nodes WHERE " + k_was_heard + " ORDER BY node";
    auto work = [&](Connection& connection) -> result<std::vector<NodeState>> {
        return read_states(connection.query(sql, window.count()));
    };
    co_return co_await read(database_, work);
}

awaitable<result<void>> NodeRegistry::leave(const std::string& node)
{
    auto work = [&](Connection& connection) -> result<void> {
        connection.query("DELETE FROM nodes WHERE node = $1", node);
        return {};
    };
    co_return co_await write(database_, work);
}

awaitable<result<std::optional<std::uint64_t>>>
NodeRegistry::hold_lease(const std::string& work, const std::string& node, std::chrono::milliseconds lasting)
{
    auto take = [&](Connection& connection) -> result<std::optional<std::uint64_t>> {
        const auto rows = connection.query(
            "INSERT INTO leases AS l (work, node, fence, ends_at)"
            " VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')"
            " ON CONFLICT (work) DO UPDATE SET node = excluded.node, ends_at = excluded.ends_at,"
            " fence = l.fence + CASE WHEN l.node = excluded.node AND l.ends_at > clock_timestamp() THEN 0 ELSE 1 END"
            " WHERE l.node = excluded.node OR l.ends_at <= clock_timestamp() RETURNING fence",
            work, node, lasting.count());
        std::optional<std::uint64_t> fence;
        if (!rows.empty())
            fence = rows[0].unsigned_integer(0);
        return fence;
    };
    co_return co_await read(database_, take); // whoever holds it may take it again
}

awaitable<result<void>> NodeRegistry::release_lease(const std::string& work, const std::string& node)
{
    auto give_up = [&](Connection& connection) -> result<void> {
        connection.query(
            "UPDATE leases SET node = '', ends_at = clock_timestamp() WHERE work = $1 AND node = $2", work,
            node);
        return {};
    };
    co_return co_await write(database_, give_up);
}

} // namespace gw::postgres
