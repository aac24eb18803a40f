// Usage counts as rows of `usage_minutes`. Each function runs within the caller's transaction.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "domain/usage.hpp"

#include <string_view>

namespace gw::sqlite {

// What read_usage expects to be selected, in this order.
extern const std::string_view k_usage_columns;

UsageRow read_usage(const Statement& row);
// Adds to what the row's minute, tenant, key, version and route have counted so far.
void add_usage(Connection& connection, const UsageRow& row);

} // namespace gw::sqlite
