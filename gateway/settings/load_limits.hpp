// Limits as they stand in routes, plans and `failed_attempts`.
#pragma once

#include "settings/reader.hpp"

#include <vector>

namespace gw {

// Every item of `limits`, also those that are wrong: they have no name or a rate of 0, and the positions
// hold.
std::vector<LimitPolicy> read_limits(const Mapping& owner);

// A bucket from a rate alone: burst = the rate's count. `policy` stays as it is if the key is missing or
// wrong.
void read_bucket(const Mapping& owner, std::string_view key, LimitPolicy& policy);

// A bucket of `count` per `period`, burst = count.
LimitPolicy bucket_of(std::string name, CountedPer per, std::uint64_t count, milliseconds period);

} // namespace gw
