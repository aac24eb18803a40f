// One page of keys: KeyStore::list as SQL.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "ports/key_store.hpp"

namespace gw::postgres {

result<KeyPage> list_keys(Connection& connection, const KeyQuery& query);

} // namespace gw::postgres
