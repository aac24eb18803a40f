// Nodes and leases in SQLite: one `serve`, seldom more than one row, and the same contract as the fleet's.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "net/offload.hpp"
#include "ports/node_registry.hpp"

#include <functional>

namespace gw::sqlite {

class NodeRegistry final : public gw::NodeRegistry {
public:
    // `database` and `pool`, on which reads run, must outlive the registry.
    NodeRegistry(Database& database, BlockingPool& pool, std::function<WallTime()> clock = wall_now);

    awaitable<result<std::vector<NodeState>>> beat(const NodeBeat& beat,
                                                   std::chrono::milliseconds window) override;
    awaitable<result<std::vector<NodeState>>> list(std::chrono::milliseconds window) override;
    awaitable<result<void>> leave(const std::string& node) override;
    awaitable<result<std::optional<std::uint64_t>>>
    hold_lease(const std::string& work, const std::string& node, std::chrono::milliseconds lasting) override;
    awaitable<result<void>> release_lease(const std::string& work, const std::string& node) override;

private:
    Database& database_;
    BlockingPool& pool_;
    std::function<WallTime()> clock_;
};

} // namespace gw::sqlite
