// KeyStore's part in importing keys, and the index by which imported ones are found. Both halves write the change
// sequence last, so that nobody who holds its counter waits for a row of another import.
#include "adapters/postgres/calls.hpp"
#include "adapters/postgres/journal.hpp"
#include "adapters/postgres/key_rows.hpp"
#include "adapters/postgres/key_store.hpp"
#include "adapters/sql/key_edits.hpp"
#include "adapters/sql/record_codec.hpp"

namespace gw::postgres {

using namespace sql;

namespace {

// What keeps this key from being reserved, as far as others have committed.
error_code obstacle(Connection& connection, const KeyRecord& record)
{
    if (record.versions.size() != 1 || record.versions[0].number != 1 || !is_json_object(record.metadata))
        return errc::invalid;
    const auto rows = connection.query(
        "SELECT EXISTS (SELECT 1 FROM tenants WHERE id = $1), EXISTS (SELECT 1 FROM keys WHERE key_id = $2)"
        " OR EXISTS (SELECT 1 FROM keys WHERE tenant = $1 AND external_id = $3 AND status <> 'revoked')",
        record.tenant.str(), record.id.view(), record.external_id);
    if (!rows[0].boolean(0))
        return errc::not_found;
    return rows[0].boolean(1) ? make_error_code(errc::conflict) : error_code{};
}

// Somebody else was quicker between the look and the insertion: the whole transaction, repeated, sees it.
void insert_or_repeat(Connection& connection, const KeyRecord& record)
{
    try {
        insert_key(connection, record);
    } catch (const PostgresError& error) {
        if (error.code() == errc::conflict || error.code() == errc::not_found)
            throw PostgresError{errc::unavailable, PostgresError::Kind::transient, error.what()};
        throw;
    }
}

bool take_digest(Connection& connection, const KeyId& id, const ForeignDigest& digest)
{
    return connection
               .query("INSERT INTO imported_keys (kind, digest, key_id) VALUES ($1, decode($2, 'hex'), $3) ON CONFLICT DO NOTHING",
                      static_cast<int>(digest.index), to_hex(digest.value), id.view())
               .changed() == 1;
}

struct Activated {
    KeyId id;
    std::uint64_t record_version = 0;
};

// The key goes active with its digest, or the code says why not and nothing is written.
result<Activated> activate_one(Connection& connection, const KeyStore::Activation& item, WallTime now)
{
    auto record = find_key_to_change(connection, item.key);
    if (!record)
        return errc::not_found;
    const auto made = make_active(*record);
    if (made.has_error())
        return made.error();
    if (!take_digest(connection, item.key, item.digest))
        return errc::conflict;
    record->updated_at = item.why.at == WallTime{} ? now : item.why.at;
    ++record->record_version;
    save_key(connection, *record);
    write_audit(connection, item.why, now);
    return Activated{item.key, record->record_version};
}

template <class Items, class Text>
std::string array_of(const Items& items, Text text)
{
    std::string out = "{";
    for (const auto& item : items)
        out += (out.size() == 1 ? "" : ",") + text(item);
    return out + "}";
}

} // namespace

awaitable<result<std::vector<error_code>>> KeyStore::reserve_all(const std::vector<KeyRecord>& pending, bool keep)
{
    std::vector<error_code> codes;
    bool is_rehearsed = false;
    auto work = [&](Connection& connection) -> result<void> {
        codes.clear();
        for (const auto& given : pending) {
            codes.push_back(obstacle(connection, given));
            if (codes.back())
                continue;
            KeyRecord record = given;
            record.status = KeyStatus::pending;
            record.versions[0].status = VersionStatus::pending;
            record.record_version = 1;
            if (record.rotated_at == WallTime{})
                record.rotated_at = record.created_at;
            insert_or_repeat(connection, record);
        }
        is_rehearsed = !keep;
        if (is_rehearsed)
            return errc::conflict; // undoes it all
        for (std::size_t i = 0; i < pending.size(); ++i)
            if (!codes[i])
                write_change(connection, Change::Subject::key, pending[i].id.view(), 1, clock_());
        return {};
    };
    const auto done = co_await write(database_, work);
    if (done.has_error() && !is_rehearsed)
        co_return done.error();
    co_return codes;
}

awaitable<result<std::vector<error_code>>> KeyStore::activate_all(const std::vector<Activation>& activations)
{
    auto work = [&](Connection& connection) -> result<std::vector<error_code>> {
        const WallTime now = clock_();
        std::vector<error_code> codes;
        std::vector<Activated> done;
        for (const auto& item : activations) {
            const auto active = activate_one(connection, item, now);
            codes.push_back(active.has_error() ? active.error() : error_code{});
            if (active.has_value())
                done.push_back(*active);
        }
        for (const auto& active : done)
            write_change(connection, Change::Subject::key, active.id.view(), active.record_version, now);
        return codes;
    };
    co_return co_await write(database_, work);
}

awaitable<result<std::optional<KeyStore::ImportedKey>>> KeyStore::find_imported(std::span<const ForeignDigest> digests)
{
    const std::string kinds =
        array_of(digests, [](const ForeignDigest& digest) { return std::to_string(static_cast<int>(digest.index)); });
    const std::string values = array_of(digests, [](const ForeignDigest& digest) { return to_hex(digest.value); });
    auto work = [&](Connection& connection) -> result<std::optional<ImportedKey>> {
        const auto rows = connection.query(
            "SELECT i.key_id, i.kind FROM unnest($1::smallint[], $2::text[]) AS asked (kind, digest)"
            " JOIN imported_keys AS i ON i.kind = asked.kind AND i.digest = decode(asked.digest, 'hex') ORDER BY i.kind LIMIT 1",
            kinds, values);
        if (rows.empty())
            return std::optional<ImportedKey>{};
        ImportedKey found{decode_key_id(rows[0].text(0)), static_cast<ForeignIndex>(rows[0].integer(1))};
        return std::optional<ImportedKey>{found};
    };
    co_return co_await read(database_, work);
}

awaitable<result<ForeignIndexes>> KeyStore::imported_indexes()
{
    const std::string kinds =
        array_of(k_foreign_indexes, [](ForeignIndex index) { return std::to_string(static_cast<int>(index)); });
    auto work = [&](Connection& connection) -> result<ForeignIndexes> {
        const auto rows = connection.query("SELECT known.kind FROM unnest($1::smallint[]) AS known (kind)"
                                           " WHERE EXISTS (SELECT 1 FROM imported_keys AS i WHERE i.kind = known.kind)",
                                           kinds);
        ForeignIndexes found;
        for (int i = 0; i < rows.size(); ++i)
            found.insert(static_cast<ForeignIndex>(rows[i].integer(0)));
        return found;
    };
    co_return co_await read(database_, work);
}

} // namespace gw::postgres
