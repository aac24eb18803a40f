// Usage counts in SQLite, in the usage file.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "net/offload.hpp"
#include "ports/usage_store.hpp"

#include <functional>

namespace gw::sqlite {

class UsageStore final : public gw::UsageStore {
public:
    // `database` and `pool`, on which reads run, must outlive the store.
    UsageStore(Database& database, BlockingPool& pool, std::function<WallTime()> clock = wall_now);

    awaitable<result<void>> apply(const UsageBatch& batch) override;
    awaitable<result<std::uint64_t>> last_sequence(const std::string& node) override;
    awaitable<result<std::vector<UsageRow>>> read(const UsageQuery& query) override;

private:
    Database& database_;
    BlockingPool& pool_;
    std::function<WallTime()> clock_;
};

} // namespace gw::sqlite
