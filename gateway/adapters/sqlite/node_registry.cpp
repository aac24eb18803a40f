#include "adapters/sqlite/node_registry.hpp"

#include "adapters/sql/record_codec.hpp"
#include "adapters/sqlite/calls.hpp"

namespace gw::sqlite {

using namespace sql;

namespace {

constexpr std::chrono::hours k_forgotten{24}; // a node that was killed: its row is of no use to anybody

std::vector<NodeState> read_nodes(Connection& connection, WallTime now, std::chrono::milliseconds window)
{
    auto rows =
        connection.prepare("SELECT node, serves_data, serves_admin, release, applied, started_at, seen_at"
                           " FROM nodes WHERE seen_at >= ? ORDER BY node");
    rows.bind(now - window);
    std::vector<NodeState> nodes;
    while (rows.step()) {
        NodeState& state = nodes.emplace_back();
        state.beat.node = rows.text(0);
        state.beat.serves_data = rows.integer(1) != 0;
        state.beat.serves_admin = rows.integer(2) != 0;
        state.beat.release = rows.text(3);
        state.beat.applied = rows.unsigned_integer(4);
        state.started_at = decode_time(rows.integer(5));
        state.seen_at = decode_time(rows.integer(6));
        state.silent_for = std::max(now - state.seen_at, std::chrono::milliseconds{0});
    }
    return nodes;
}

} // namespace

NodeRegistry::NodeRegistry(Database& database, BlockingPool& pool, std::function<WallTime()> clock)
    : database_(database), pool_(pool), clock_(std::move(clock))
{
}

awaitable<result<std::vector<NodeState>>> NodeRegistry::beat(const NodeBeat& beat,
                                                             std::chrono::milliseconds window)
{
    auto work = [&](Connection& connection) -> result<std::vector<NodeState>> {
        const WallTime now = clock_();
        connection
            .prepare(
                "INSERT INTO nodes (node, serves_data, serves_admin, release, applied, started_at, seen_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (node) DO UPDATE SET serves_data = "
                "excluded.serves_data,"
                " serves_admin = excluded.serves_admin, release = excluded.release,"
                " applied = max(applied, excluded.applied), seen_at = max(seen_at, excluded.seen_at)")
            .bind(beat.node, beat.serves_data, beat.serves_admin, beat.release, beat.applied, now, now)
            .run();
        connection.prepare("DELETE FROM nodes WHERE seen_at < ?").bind(now - k_forgotten).run();
        return read_nodes(connection, now, window);
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<std::vector<NodeState>>> NodeRegistry::list(std::chrono::milliseconds window)
{
    auto work = [&](Connection& connection) -> result<std::vector<NodeState>> {
        return read_nodes(connection, clock_(), window);
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<void>> NodeRegistry::leave(const std::string& node)
{
    auto work = [&](Connection& connection) -> result<void> {
        connection.prepare("DELETE FROM nodes WHERE node = ?").bind(node).run();
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<std::optional<std::uint64_t>>>
NodeRegistry::hold_lease(const std::string& work, const std::string& node, std::chrono::milliseconds lasting)
{
    auto taking = [&](Connection& connection) -> result<std::optional<std::uint64_t>> {
        const WallTime now = clock_();
        // A lease that has ended counts as given up, also by the one that held it: somebody may have looked.
        auto row = connection.prepare(
            "INSERT INTO leases (work, node, fence, ends_at) VALUES (?1, ?2, 1, ?3) ON CONFLICT (work) DO "
            "UPDATE SET"
            " fence = CASE WHEN node = excluded.node AND ends_at > ?4 THEN fence ELSE fence + 1 END,"
            " node = excluded.node, ends_at = excluded.ends_at WHERE node = excluded.node OR ends_at <= ?4"
            " RETURNING fence");
        row.bind(work, node, now + lasting, now);
        std::optional<std::uint64_t> fence;
        while (row.step())
            fence = row.unsigned_integer(0);
        return fence;
    };
    co_return co_await write(database_.main(), database_.deadline(), taking);
}

awaitable<result<void>> NodeRegistry::release_lease(const std::string& work, const std::string& node)
{
    auto releasing = [&](Connection& connection) -> result<void> {
        connection.prepare("UPDATE leases SET ends_at = 0 WHERE work = ? AND node = ?")
            .bind(work, node)
            .run();
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), releasing);
}

} // namespace gw::sqlite
