// Nodes and leases in PostgreSQL, on the database's clock.
#pragma once

#include "adapters/postgres/database.hpp"
#include "ports/node_registry.hpp"

namespace gw::postgres {

class NodeRegistry final : public gw::NodeRegistry {
public:
    // `database` must outlive the registry.
    explicit NodeRegistry(Database& database) : database_(database) {}

    awaitable<result<std::vector<NodeState>>> beat(const NodeBeat& beat,
                                                   std::chrono::milliseconds window) override;
    awaitable<result<std::vector<NodeState>>> list(std::chrono::milliseconds window) override;
    awaitable<result<void>> leave(const std::string& node) override;
    awaitable<result<std::optional<std::uint64_t>>>
    hold_lease(const std::string& work, const std::string& node, std::chrono::milliseconds lasting) override;
    awaitable<result<void>> release_lease(const std::string& work, const std::string& node) override;

private:
    Database& database_;
};

} // namespace gw::postgres
