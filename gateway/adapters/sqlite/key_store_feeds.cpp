// KeyStore's queues, which background work drains: the outbox of Vault destructions, what crashes left
// behind, and the change sequence.
#include "adapters/sql/record_codec.hpp"
#include "adapters/sqlite/calls.hpp"
#include "adapters/sqlite/journal.hpp"
#include "adapters/sqlite/key_rows.hpp"
#include "adapters/sqlite/key_store.hpp"

namespace gw::sqlite {

using namespace sql;

namespace {

bool drop_key(Connection& connection, const KeyId& id)
{
    return connection.prepare("DELETE FROM keys WHERE key_id = ? AND status = 'pending'")
               .bind(id.view())
               .run() != 0;
}

bool drop_version(Connection& connection, const KeyStore::Leftover& leftover)
{
    return connection
               .prepare("DELETE FROM key_versions WHERE key_id = ? AND number = ? AND status = 'pending'"
                        " AND EXISTS (SELECT 1 FROM keys WHERE key_id = ?1 AND status <> 'pending')")
               .bind(leftover.key.view(), leftover.version)
               .run() != 0;
}

} // namespace

awaitable<result<std::vector<KeyStore::Destruction>>> KeyStore::pending_destructions(std::size_t limit)
{
    auto work = [&](Connection& connection) -> result<std::vector<Destruction>> {
        std::vector<Destruction> pending;
        auto rows = connection.prepare(
            "SELECT key_id, tenant FROM vault_destructions ORDER BY queued_at, key_id LIMIT ?");
        rows.bind(limit);
        while (rows.step())
            pending.push_back({decode_key_id(rows.text(0)), decode_tenant_id(rows.text(1))});
        return pending;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<void>> KeyStore::destruction_done(const KeyId& id)
{
    auto work = [&](Connection& connection) -> result<void> {
        connection.prepare("DELETE FROM vault_destructions WHERE key_id = ?").bind(id.view()).run();
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<std::vector<KeyStore::Leftover>>> KeyStore::leftovers(WallTime older_than, std::size_t limit)
{
    auto work = [&](Connection& connection) -> result<std::vector<Leftover>> {
        std::vector<Leftover> found;
        auto keys =
            connection.prepare("SELECT key_id, tenant FROM keys INDEXED BY keys_pending"
                               " WHERE status = 'pending' AND created_at < ? ORDER BY created_at LIMIT ?");
        keys.bind(older_than, limit);
        while (keys.step())
            found.push_back({decode_key_id(keys.text(0)), decode_tenant_id(keys.text(1)), 1, true});
        auto versions = connection.prepare(
            "SELECT v.key_id, k.tenant, v.number FROM key_versions AS v INDEXED BY key_versions_pending"
            " JOIN keys AS k ON k.key_id = v.key_id WHERE v.status = 'pending' AND k.status <> 'pending'"
            " AND v.created_at < ? ORDER BY v.created_at LIMIT ?");
        versions.bind(older_than, limit - found.size());
        while (versions.step())
            found.push_back({decode_key_id(versions.text(0)), decode_tenant_id(versions.text(1)),
                             static_cast<std::uint32_t>(versions.integer(2)), false});
        return found;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<void>> KeyStore::drop_leftover(const Leftover& leftover)
{
    auto work = [&](Connection& connection) -> result<void> {
        auto record = find_key(connection, leftover.key);
        if (!record ||
            !(leftover.whole_key ? drop_key(connection, leftover.key) : drop_version(connection, leftover)))
            return {};
        const WallTime now = clock_();
        const std::uint64_t record_version = record->record_version + 1;
        if (!leftover.whole_key)
            connection.prepare("UPDATE keys SET record_version = ?, updated_at = ? WHERE key_id = ?")
                .bind(record_version, now, leftover.key.view())
                .run();
        write_change(connection, Change::Subject::key, leftover.key.view(), record_version, now);
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<std::vector<Change>>> KeyStore::changes_after(std::uint64_t after, std::size_t limit)
{
    auto work = [&](Connection& connection) -> result<std::vector<Change>> {
        std::vector<Change> changes;
        auto rows = connection.prepare("SELECT sequence, subject, id, record_version, at FROM changes"
                                       " WHERE sequence > ? ORDER BY sequence LIMIT ?");
        rows.bind(std::min<std::uint64_t>(after, INT64_MAX), limit);
        while (rows.step()) {
            Change change;
            change.sequence = rows.unsigned_integer(0);
            change.subject = rows.text(1) == "key" ? Change::Subject::key : Change::Subject::tenant;
            change.id = rows.text(2);
            change.record_version = rows.unsigned_integer(3);
            change.at = decode_time(rows.integer(4));
            changes.push_back(std::move(change));
        }
        return changes;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<std::uint64_t>> KeyStore::last_change()
{
    auto work = [](Connection& connection) -> result<std::uint64_t> {
        // Not max(sequence): old rows are pruned.
        auto row = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'changes'");
        return row.step() ? row.unsigned_integer(0) : 0;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

} // namespace gw::sqlite
