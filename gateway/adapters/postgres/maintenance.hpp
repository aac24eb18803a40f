// Scheduled housekeeping: rows that nothing asks for any more, days of usage that are over, partitions for
// the days to come. Any number of nodes may run it, also at once.
#pragma once

#include "adapters/postgres/database.hpp"

#include <chrono>

namespace gw::postgres {

struct Maintained {
    std::uint64_t changes = 0, quota_windows = 0, nodes = 0; // rows deleted
    std::uint64_t usage_days = 0;                            // partitions dropped
};

struct Keep {
    std::chrono::hours changes{24};         // and in any case
    std::uint64_t newest_changes = 100'000; // this many
    std::chrono::seconds usage_minutes = std::chrono::hours{48};
    std::chrono::hours silent_nodes{24};
    std::chrono::hours usage_sequences{30 * 24}; // of nodes that have sent nothing since
};

// Quota windows that ended over an hour ago, and what is older than `keep` says. A day of usage goes when all
// its minutes may.
awaitable<result<Maintained>> maintain(Database& database, WallTime now, Keep keep = {});

} // namespace gw::postgres
