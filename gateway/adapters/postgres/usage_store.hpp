// Usage counts in PostgreSQL, in the schema `portcullis_usage`.
#pragma once

#include "adapters/postgres/database.hpp"
#include "ports/usage_store.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>

namespace gw::postgres {

class UsageStore final : public gw::UsageStore {
public:
    // `database` must outlive the store.
    explicit UsageStore(Database& database, std::function<WallTime()> clock = wall_now);

    awaitable<result<void>> apply(const UsageBatch& batch) override;
    awaitable<result<std::uint64_t>> last_sequence(const std::string& node) override;
    awaitable<result<std::vector<UsageRow>>> read(const UsageQuery& query) override;

private:
    // Those of the batch's days whose partitions this process has not seen.
    std::set<std::int64_t> unknown_days(const UsageBatch& batch);

    Database& database_;
    std::function<WallTime()> clock_;
    std::mutex mutex_;
    std::set<std::int64_t> days_; // that have their partitions
};

} // namespace gw::postgres
