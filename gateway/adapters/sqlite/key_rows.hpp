// Key records as rows of `keys` and `key_versions`. Each function runs within the caller's transaction.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "domain/key_record.hpp"

#include <optional>
#include <string_view>

namespace gw::sqlite {

// What read_key expects to be selected, in this order, from `keys AS k LEFT JOIN tenants AS t`.
extern const std::string_view k_key_columns;

// A row, without its versions.
KeyRecord read_key(const Statement& row);
void read_versions(Connection& connection, KeyRecord& record);

// With its versions; last uses are not filled in.
std::optional<KeyRecord> find_key(Connection& connection, const KeyId& id);
// A new row with its versions. SqliteError with errc::conflict if the id is there.
void insert_key(Connection& connection, const KeyRecord& record);
// Writes what a change may have touched, and all versions.
void save_key(Connection& connection, const KeyRecord& record);
bool is_external_id_taken(Connection& connection, const KeyRecord& by);

} // namespace gw::sqlite
