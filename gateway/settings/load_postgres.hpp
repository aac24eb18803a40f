// Reading `stores.metadata.postgres`.
#pragma once

#include "settings/reader.hpp"

namespace gw {

// What is wrong is noted; a url that is missing or wrong is then empty.
PostgresSettings read_postgres(const Value& value);

} // namespace gw
