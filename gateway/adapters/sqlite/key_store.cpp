#include "adapters/sqlite/key_store.hpp"

#include "adapters/sql/key_edits.hpp"
#include "adapters/sql/record_codec.hpp"
#include "adapters/sqlite/calls.hpp"
#include "adapters/sqlite/journal.hpp"
#include "adapters/sqlite/key_list.hpp"
#include "adapters/sqlite/key_rows.hpp"
#include "adapters/sqlite/last_uses.hpp"

namespace gw::sqlite {

using namespace sql;

namespace {

bool tenant_exists(Connection& connection, const TenantId& tenant)
{
    auto row = connection.prepare("SELECT 1 FROM tenants WHERE id = ?");
    row.bind(tenant.str());
    return row.step();
}

void queue_destruction(Connection& connection, const KeyRecord& record, WallTime now)
{
    connection
        .prepare("INSERT OR IGNORE INTO vault_destructions (key_id, tenant, queued_at) VALUES (?, ?, ?)")
        .bind(record.id.view(), record.tenant.str(), now)
        .run();
}

} // namespace

KeyStore::KeyStore(Database& database, BlockingPool& pool, Clock clock)
    : database_(database), pool_(pool), clock_(std::move(clock))
{
}

awaitable<result<std::optional<KeyRecord>>> KeyStore::find(const KeyId& id)
{
    const Deadline deadline = database_.deadline();
    auto work = [&] {
        auto found =
            database_.main().read(deadline, [&](Connection& connection) -> result<std::optional<KeyRecord>> {
                return find_key(connection, id);
            });
        if (found.has_value() && found->has_value())
            add_last_uses({&**found, 1}, deadline);
        return found;
    };
    co_return co_await offload(pool_, work);
}

awaitable<result<KeyPage>> KeyStore::list(const KeyQuery& query)
{
    const Deadline deadline = database_.deadline();
    auto work = [&] {
        auto page = database_.main().read(
            deadline, [&](Connection& connection) { return list_keys(connection, query); });
        if (page.has_value())
            add_last_uses(page->keys, deadline);
        return page;
    };
    co_return co_await offload(pool_, work);
}

result<void> KeyStore::reserve_row(Connection& connection, const KeyRecord& pending) const
{
    if (pending.versions.size() != 1 || pending.versions[0].number != 1 || !is_json_object(pending.metadata))
        return errc::invalid;
    KeyRecord record = pending;
    record.status = KeyStatus::pending;
    record.versions[0].status = VersionStatus::pending;
    record.record_version = 1;
    if (record.rotated_at == WallTime{})
        record.rotated_at = record.created_at;
    if (!tenant_exists(connection, record.tenant))
        return errc::not_found;
    if (find_key(connection, record.id) || is_external_id_taken(connection, record))
        return errc::conflict;
    insert_key(connection, record);
    write_change(connection, Change::Subject::key, record.id.view(), record.record_version, clock_());
    return {};
}

awaitable<result<void>> KeyStore::reserve(const KeyRecord& pending)
{
    auto work = [&](Connection& connection) { return reserve_row(connection, pending); };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

result<KeyRecord> KeyStore::edit_row(Connection& connection, const KeyId& id, const AuditEntry& why,
                                     const Edit& change) const
{
    auto record = find_key(connection, id);
    if (!record)
        return errc::not_found;
    const WallTime now = clock_(), at = why.at == WallTime{} ? now : why.at;
    const auto edited = change(connection, *record, at);
    if (edited.has_error())
        return edited.error();
    if (!*edited)
        return std::move(*record);
    record->updated_at = at;
    ++record->record_version;
    save_key(connection, *record);
    write_change(connection, Change::Subject::key, id.view(), record->record_version, now);
    write_audit(connection, why, now);
    return std::move(*record);
}

awaitable<result<KeyRecord>> KeyStore::edit(const KeyId& id, const AuditEntry& why, Edit change)
{
    const Deadline deadline = database_.deadline();
    auto transact = [&](Connection& connection) { return edit_row(connection, id, why, change); };
    auto work = [&] {
        auto record = database_.main().write(deadline, transact);
        if (record.has_value())
            add_last_uses({&*record, 1}, deadline);
        return record;
    };
    co_return co_await offload(database_.main().writing_pool(), work);
}

awaitable<result<KeyRecord>> KeyStore::activate(const KeyId& id, const AuditEntry& why)
{
    return edit(id, why, [](Connection&, KeyRecord& record, WallTime) { return make_active(record); });
}

awaitable<result<std::uint32_t>> KeyStore::reserve_version(const KeyId& id, const std::string& last4)
{
    auto work = [&](Connection& connection) -> result<std::uint32_t> {
        auto record = find_key(connection, id);
        if (!record)
            return errc::not_found;
        if (record->status == KeyStatus::revoked || record->status == KeyStatus::pending)
            return errc::conflict;
        auto counter = connection.prepare("UPDATE keys SET next_version = next_version + 1 WHERE key_id = ?"
                                          " RETURNING next_version - 1");
        counter.bind(id.view()).step();
        const WallTime now = clock_();
        KeyVersion version;
        version.number = static_cast<std::uint32_t>(counter.integer(0));
        version.last4 = last4;
        version.created_at = now;
        counter.run();
        record->versions.push_back(version);
        record->updated_at = now;
        ++record->record_version;
        save_key(connection, *record);
        write_change(connection, Change::Subject::key, id.view(), record->record_version, now);
        return version.number;
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<KeyRecord>> KeyStore::activate_version(const KeyId& id, std::uint32_t version,
                                                        WallTime overlap_end, const AuditEntry& why)
{
    return edit(id, why, [version, overlap_end](Connection&, KeyRecord& record, WallTime now) {
        return make_version_live(record, version, overlap_end, now);
    });
}

awaitable<result<KeyRecord>> KeyStore::update(const KeyId& id, const KeyChanges& changes,
                                              std::optional<std::uint64_t> if_version, const AuditEntry& why)
{
    return edit(id, why, [&changes, if_version](Connection& connection, KeyRecord& record, WallTime) {
        if (changes.metadata && !is_json_object(*changes.metadata))
            return result<bool>{errc::invalid};
        auto changed = apply_changes(record, changes, if_version);
        if (changed.has_value() && record.external_id && is_external_id_taken(connection, record))
            changed = errc::conflict;
        return changed;
    });
}

awaitable<result<KeyRecord>> KeyStore::revoke(const KeyId& id, const std::optional<std::string>& reason,
                                              const AuditEntry& why)
{
    return edit(id, why, [&reason](Connection& connection, KeyRecord& record, WallTime now) {
        const auto revoked = make_revoked(record, reason, now);
        if (revoked.has_value() && *revoked)
            queue_destruction(connection, record, now);
        return revoked;
    });
}

void KeyStore::add_last_uses(std::span<KeyRecord> records, Deadline deadline)
{
    // A failure is logged there and changes nothing here.
    (void)database_.usage().read(deadline, [&](Connection& usage) -> result<void> {
        fill_last_uses(usage, records);
        return {};
    });
}

} // namespace gw::sqlite
