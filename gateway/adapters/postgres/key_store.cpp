#include "adapters/postgres/key_store.hpp"

#include "adapters/postgres/calls.hpp"
#include "adapters/postgres/journal.hpp"
#include "adapters/postgres/key_list.hpp"
#include "adapters/postgres/key_rows.hpp"
#include "adapters/sql/key_edits.hpp"
#include "adapters/sql/record_codec.hpp"

namespace gw::postgres {

using namespace sql;

namespace {

void queue_destruction(Connection& connection, const KeyRecord& record, WallTime now)
{
    connection.query("INSERT INTO vault_destructions (key_id, tenant, queued_at) VALUES ($1, $2, $3)"
                     " ON CONFLICT DO NOTHING",
                     record.id.view(), record.tenant.str(), now);
}

} // namespace

KeyStore::KeyStore(Database& database, Clock clock) : database_(database), clock_(std::move(clock)) {}

awaitable<result<std::optional<KeyRecord>>> KeyStore::find(const KeyId& id)
{
    auto work = [&](Connection& connection) -> result<std::optional<KeyRecord>> {
        return find_key(connection, id);
    };
    co_return co_await read(database_, work);
}

awaitable<result<KeyPage>> KeyStore::list(const KeyQuery& query)
{
    auto work = [&](Connection& connection) { return list_keys(connection, query); };
    co_return co_await read(database_, work);
}

awaitable<result<void>> KeyStore::reserve(const KeyRecord& pending)
{
    if (pending.versions.size() != 1 || pending.versions[0].number != 1 || !is_json_object(pending.metadata))
        co_return errc::invalid;
    KeyRecord record = pending;
    record.status = KeyStatus::pending;
    record.versions[0].status = VersionStatus::pending;
    record.record_version = 1;
    if (record.rotated_at == WallTime{})
        record.rotated_at = record.created_at;

    auto work = [&](Connection& connection) -> result<void> {
        insert_key(connection, record); // its constraints say conflict and not_found
        write_change(connection, Change::Subject::key, record.id.view(), record.record_version, clock_());
        return {};
    };
    co_return co_await write(database_, work);
}

awaitable<result<KeyRecord>> KeyStore::edit(const KeyId& id, const AuditEntry& why, Edit change)
{
    auto work = [&](Connection& connection) -> result<KeyRecord> {
        auto record = find_key_to_change(connection, id);
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
        write_audit(connection, why, now);
        write_change(connection, Change::Subject::key, id.view(), record->record_version, now);
        return std::move(*record);
    };
    co_return co_await write(database_, work);
}

awaitable<result<KeyRecord>> KeyStore::activate(const KeyId& id, const AuditEntry& why)
{
    return edit(id, why, [](Connection&, KeyRecord& record, WallTime) { return make_active(record); });
}

awaitable<result<std::uint32_t>> KeyStore::reserve_version(const KeyId& id, const std::string& last4)
{
    auto work = [&](Connection& connection) -> result<std::uint32_t> {
        auto record = find_key_to_change(connection, id);
        if (!record)
            return errc::not_found;
        if (record->status == KeyStatus::revoked || record->status == KeyStatus::pending)
            return errc::conflict;
        const auto counter =
            connection.query("UPDATE keys SET next_version = next_version + 1 WHERE key_id = $1"
                             " RETURNING next_version - 1",
                             id.view());
        const WallTime now = clock_();
        KeyVersion version;
        version.number = static_cast<std::uint32_t>(counter[0].integer(0));
        version.last4 = last4;
        version.created_at = now;
        record->versions.push_back(version);
        record->updated_at = now;
        ++record->record_version;
        save_key(connection, *record);
        write_change(connection, Change::Subject::key, id.view(), record->record_version, now);
        return version.number;
    };
    co_return co_await write(database_, work);
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
    return edit(id, why, [&changes, if_version](Connection&, KeyRecord& record, WallTime) {
        if (changes.metadata && !is_json_object(*changes.metadata))
            return result<bool>{errc::invalid};
        return apply_changes(record, changes, if_version);
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

} // namespace gw::postgres
