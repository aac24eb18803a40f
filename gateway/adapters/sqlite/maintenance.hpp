// Scheduled housekeeping of the embedded store: rows that nothing asks for any more, and the write-ahead
// logs. Deletes in small transactions, so that writers wait milliseconds, not for all of it.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "net/offload.hpp"

#include <chrono>

namespace gw::sqlite {

struct Maintained {
    std::uint64_t changes = 0, quota_windows = 0, usage_minutes = 0; // rows deleted
};

struct Keep {
    std::chrono::hours changes{24};         // and in any case
    std::uint64_t newest_changes = 100'000; // this many
    std::chrono::seconds usage_minutes = std::chrono::hours{48};
};

// Quota windows that ended over an hour ago, and what is older than `keep` says.
awaitable<result<Maintained>> maintain(Database& database, BlockingPool& pool, WallTime now, Keep keep = {});

} // namespace gw::sqlite
