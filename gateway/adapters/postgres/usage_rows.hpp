// Usage counts as rows of `portcullis_usage.minutes`, which is partitioned by day: a day is dropped whole,
// and nothing has to be deleted row by row.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "domain/usage.hpp"

#include <string_view>
#include <vector>

namespace gw::postgres {

// What read_usage expects to be selected, in this order.
extern const std::string_view k_usage_columns;

UsageRow read_usage(const Row& row);
// Adds to what each row's minute, tenant, key, version and route have counted so far, in one statement.
void add_usage(Connection& connection, const std::vector<UsageRow>& rows);
// Times only move forward.
void add_last_uses(Connection& connection, const std::vector<LastUse>& uses);

// The start of the UTC day that holds `minute`, in milliseconds.
std::int64_t day_of(WallTime minute) noexcept;

} // namespace gw::postgres
