// One page of keys: KeyStore::list as SQL.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "ports/key_store.hpp"

namespace gw::sqlite {

// Last uses are not filled in. Within the caller's transaction.
result<KeyPage> list_keys(Connection& connection, const KeyQuery& query);

} // namespace gw::sqlite
