// Which processes serve these stores, how far each has applied the change sequence, and which of them does the
// scheduled work. Same rules as KeyStore. All times are the store's own clock: nodes' clocks may differ.
#pragma once

#include "domain/errors.hpp"
#include "domain/time.hpp"
#include "net/asio.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gw {

struct NodeBeat {
    std::string node;          // "node-" and 12 characters of base62, new at every start
    bool serves_data = true;   // verifies keys: its acknowledgement matters to a revocation
    bool serves_admin = true;
    std::string release;       // GW_VERSION
    std::uint64_t applied = 0; // all its workers have applied the change sequence up to here
};

struct NodeState {
    NodeBeat beat;
    WallTime started_at{};
    WallTime seen_at{};                    // of its last beat
    std::chrono::milliseconds silent_for{}; // when the answer was made
};

class NodeRegistry {
public:
    virtual ~NodeRegistry() = default;

    // Says that the node is alive and how far it has come (`applied` never moves back), and answers with all
    // nodes that were heard of within `window`, itself included, by node.
    virtual awaitable<result<std::vector<NodeState>>> beat(const NodeBeat& beat, std::chrono::milliseconds window) = 0;
    // All nodes heard of within `window`, by node.
    virtual awaitable<result<std::vector<NodeState>>> list(std::chrono::milliseconds window) = 0;
    // The node ends in good order. Leaving twice is not an error.
    virtual awaitable<result<void>> leave(const std::string& node) = 0;

    // Takes or renews the lease on `work` for `lasting`: its fencing number, which grows whenever the lease is taken
    // and stays while it is renewed; empty while another node holds it. One that has ended is taken, not renewed, also
    // by the node that held it.
    virtual awaitable<result<std::optional<std::uint64_t>>> hold_lease(const std::string& work, const std::string& node,
                                                                       std::chrono::milliseconds lasting) = 0;
    // Gives it up, if this node holds it.
    virtual awaitable<result<void>> release_lease(const std::string& work, const std::string& node) = 0;
};

} // namespace gw
