// This process among the nodes of the fleet: says once a second that it is alive, and at once after a change
// how far its workers have come; knows what it last heard of the others.
#pragma once

#include "net/asio.hpp"
#include "observe/metrics.hpp"
#include "ports/node_registry.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace gw {

// Control thread only.
class NodePresence {
public:
    static constexpr std::chrono::seconds k_every{1};
    // A node that has been silent for longer is not counted as alive.
    static constexpr std::chrono::seconds k_alive{3};

    // The references must outlive the presence.
    NodePresence(Executor executor, NodeRegistry& nodes, NodeBeat self, Metrics& metrics);

    const std::string& node() const noexcept { return self_.node; }

    // Every worker of this process has applied all changes up to here: from now on it admits nothing that
    // they forbid. The acknowledgement is on its way when this returns; `committed_at` is when the last of
    // them was committed.
    void applied(std::uint64_t position, WallTime committed_at);

    // One beat. The first is awaited before the process serves anything: a node that nobody knows of is one
    // that nobody waits for.
    awaitable<result<void>> beat();
    // Beats until leave(). A store that does not answer is asked again with the next beat.
    awaitable<void> run();
    // Ends run() and says that the node has gone. To be awaited when nothing is admitted any more.
    awaitable<void> leave();

private:
    void heard_of(const std::vector<NodeState>& nodes);
    void set_reachable(bool reachable, const error_code& fault = {});

    NodeRegistry& nodes_;
    NodeBeat self_;
    Metrics& metrics_;
    Timer pause_;
    std::uint64_t acknowledged_ = 0; // the registry has it
    WallTime committed_at_{};        // of the change at self_.applied
    bool running_ = false, stopping_ = false, was_reachable_ = true;
};

} // namespace gw
