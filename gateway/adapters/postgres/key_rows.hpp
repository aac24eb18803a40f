// Key records as rows of `keys` and `key_versions`.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "domain/key_record.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gw::postgres {

// What read_key expects to be selected, in this order, from `keys AS k LEFT JOIN tenants AS t`: with the
// versions and the last uses, so that a record is one round trip.
extern const std::string_view k_key_columns;

KeyRecord read_key(const Row& row);

std::optional<std::string> optional_text(const Row& row, int column);

std::optional<KeyRecord> find_key(Connection& connection, const KeyId& id);
// The same, keeping others from changing it until the end of the transaction.
std::optional<KeyRecord> find_key_to_change(Connection& connection, const KeyId& id);
// A new row with its versions. PostgresError: errc::conflict if the id or the external id is there,
// errc::not_found if the tenant is not.
void insert_key(Connection& connection, const KeyRecord& record);
// Writes what a change may have touched, and all versions. errc::conflict if the external id is taken.
void save_key(Connection& connection, const KeyRecord& record);

} // namespace gw::postgres
