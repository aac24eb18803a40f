// KeyStore's part in importing keys, and the index by which imported ones are found.
#include "adapters/sql/key_edits.hpp"
#include "adapters/sql/record_codec.hpp"
#include "adapters/sqlite/calls.hpp"
#include "adapters/sqlite/key_store.hpp"

namespace gw::sqlite {

namespace {

constexpr std::string_view k_find = "SELECT key_id FROM imported_keys WHERE kind = ? AND digest = ?";

bool is_digest_taken(Connection& connection, const ForeignDigest& digest)
{
    auto row = connection.prepare(k_find);
    row.bind(static_cast<int>(digest.index), std::span<const unsigned char>{digest.value});
    return row.step();
}

void insert_digest(Connection& connection, const KeyId& id, const ForeignDigest& digest)
{
    connection.prepare("INSERT INTO imported_keys (kind, digest, key_id) VALUES (?, ?, ?)")
        .bind(static_cast<int>(digest.index), std::span<const unsigned char>{digest.value}, id.view())
        .run();
}

} // namespace

awaitable<result<std::vector<error_code>>> KeyStore::reserve_all(const std::vector<KeyRecord>& pending, bool keep)
{
    std::vector<error_code> codes;
    bool is_rehearsed = false;
    auto work = [&](Connection& connection) -> result<void> {
        codes.clear();
        for (const auto& record : pending) {
            const auto reserved = reserve_row(connection, record);
            codes.push_back(reserved.has_error() ? reserved.error() : error_code{});
        }
        is_rehearsed = !keep;
        if (is_rehearsed)
            return errc::conflict; // undoes it all
        return {};
    };
    const auto done = co_await write(database_.main(), database_.deadline(), work);
    if (done.has_error() && !is_rehearsed)
        co_return done.error();
    co_return codes;
}

awaitable<result<std::vector<error_code>>> KeyStore::activate_all(const std::vector<Activation>& activations)
{
    auto work = [&](Connection& connection) -> result<std::vector<error_code>> {
        std::vector<error_code> codes;
        for (const auto& item : activations) {
            if (is_digest_taken(connection, item.digest)) {
                codes.emplace_back(errc::conflict);
                continue;
            }
            const auto active = edit_row(connection, item.key, item.why, [](Connection&, KeyRecord& record, WallTime) {
                return sql::make_active(record);
            });
            if (active.has_value())
                insert_digest(connection, item.key, item.digest);
            codes.push_back(active.has_error() ? active.error() : error_code{});
        }
        return codes;
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<std::optional<KeyStore::ImportedKey>>> KeyStore::find_imported(std::span<const ForeignDigest> digests)
{
    auto work = [&](Connection& connection) -> result<std::optional<ImportedKey>> {
        for (const auto& digest : digests) {
            auto row = connection.prepare(k_find);
            row.bind(static_cast<int>(digest.index), std::span<const unsigned char>{digest.value});
            if (row.step()) {
                ImportedKey found{sql::decode_key_id(row.text(0)), digest.index};
                return std::optional<ImportedKey>{found};
            }
        }
        return std::optional<ImportedKey>{};
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<ForeignIndexes>> KeyStore::imported_indexes()
{
    auto work = [](Connection& connection) -> result<ForeignIndexes> {
        ForeignIndexes found;
        for (const ForeignIndex index : k_foreign_indexes) {
            auto row = connection.prepare("SELECT 1 FROM imported_keys WHERE kind = ? LIMIT 1");
            row.bind(static_cast<int>(index));
            if (row.step())
                found.insert(index);
        }
        return found;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

} // namespace gw::sqlite
