// KeyStore's queues, which background work drains: the outbox of Vault destructions, what crashes left
// behind, and the change sequence.
#include "adapters/postgres/calls.hpp"
#include "adapters/postgres/journal.hpp"
#include "adapters/postgres/key_rows.hpp"
#include "adapters/postgres/key_store.hpp"
#include "adapters/sql/record_codec.hpp"

namespace gw::postgres {

using namespace sql;

namespace {

std::int64_t as_limit(std::uint64_t limit)
{
    return static_cast<std::int64_t>(std::min<std::uint64_t>(limit, INT64_MAX));
}

bool drop_key(Connection& connection, const KeyId& id)
{
    return connection.query("DELETE FROM keys WHERE key_id = $1 AND status = 'pending'", id.view())
               .changed() != 0;
}

bool drop_version(Connection& connection, const KeyStore::Leftover& leftover)
{
    return connection
               .query("DELETE FROM key_versions WHERE key_id = $1 AND number = $2 AND status = 'pending'",
                      leftover.key.view(), leftover.version)
               .changed() != 0;
}

Change read_change(const Row& row)
{
    Change change;
    change.sequence = row.unsigned_integer(0);
    change.subject = row.text(1) == "key" ? Change::Subject::key : Change::Subject::tenant;
    change.id = row.text(2);
    change.record_version = row.unsigned_integer(3);
    change.at = decode_time(row.integer(4));
    return change;
}

} // namespace

awaitable<result<std::vector<KeyStore::Destruction>>> KeyStore::pending_destructions(std::size_t limit)
{
    auto work = [&](Connection& connection) -> result<std::vector<Destruction>> {
        const auto rows = connection.query(
            "SELECT key_id, tenant FROM vault_destructions ORDER BY queued_at, key_id LIMIT $1",
            as_limit(limit));
        std::vector<Destruction> pending;
        for (int i = 0; i < rows.size(); ++i)
            pending.push_back({decode_key_id(rows[i].text(0)), decode_tenant_id(rows[i].text(1))});
        return pending;
    };
    co_return co_await read(database_, work);
}

awaitable<result<void>> KeyStore::destruction_done(const KeyId& id)
{
    auto work = [&](Connection& connection) -> result<void> {
        connection.query("DELETE FROM vault_destructions WHERE key_id = $1", id.view());
        return {};
    };
    co_return co_await write(database_, work);
}

awaitable<result<std::vector<KeyStore::Leftover>>> KeyStore::leftovers(WallTime older_than, std::size_t limit)
{
    auto work = [&](Connection& connection) -> result<std::vector<Leftover>> {
        const auto rows = connection.query(
            "(SELECT key_id, tenant, 1, true FROM keys WHERE status = 'pending' AND created_at < $1"
            " ORDER BY created_at LIMIT $2)"
            " UNION ALL"
            " (SELECT v.key_id, k.tenant, v.number, false FROM key_versions AS v JOIN keys AS k USING "
            "(key_id)"
            " WHERE v.status = 'pending' AND k.status <> 'pending' AND v.created_at < $1"
            " ORDER BY v.created_at LIMIT $2) LIMIT $2",
            older_than, as_limit(limit));
        std::vector<Leftover> found;
        for (int i = 0; i < rows.size(); ++i)
            found.push_back({decode_key_id(rows[i].text(0)), decode_tenant_id(rows[i].text(1)),
                             static_cast<std::uint32_t>(rows[i].integer(2)), rows[i].boolean(3)});
        return found;
    };
    co_return co_await read(database_, work);
}

awaitable<result<void>> KeyStore::drop_leftover(const Leftover& leftover)
{
    auto work = [&](Connection& connection) -> result<void> {
        const auto record = find_key_to_change(connection, leftover.key);
        if (!record || leftover.whole_key != (record->status == KeyStatus::pending) ||
            !(leftover.whole_key ? drop_key(connection, leftover.key) : drop_version(connection, leftover)))
            return {};
        const WallTime now = clock_();
        const std::uint64_t record_version = record->record_version + 1;
        if (!leftover.whole_key)
            connection.query("UPDATE keys SET record_version = $1, updated_at = $2 WHERE key_id = $3",
                             record_version, now, leftover.key.view());
        write_change(connection, Change::Subject::key, leftover.key.view(), record_version, now);
        return {};
    };
    co_return co_await write(database_, work);
}

awaitable<result<std::vector<Change>>> KeyStore::changes_after(std::uint64_t after, std::size_t limit)
{
    auto work = [&](Connection& connection) -> result<std::vector<Change>> {
        const auto rows = connection.query("SELECT sequence, subject, id, record_version, at FROM changes"
                                           " WHERE sequence > $1 ORDER BY sequence LIMIT $2",
                                           as_limit(after), as_limit(limit));
        std::vector<Change> changes;
        for (int i = 0; i < rows.size(); ++i)
            changes.push_back(read_change(rows[i]));
        return changes;
    };
    co_return co_await read(database_, work);
}

awaitable<result<std::uint64_t>> KeyStore::last_change()
{
    auto work = [](Connection& connection) -> result<std::uint64_t> {
        // Not max(sequence): old rows are pruned.
        return connection.query("SELECT last FROM change_counter")[0].unsigned_integer(0);
    };
    co_return co_await read(database_, work);
}

} // namespace gw::postgres
