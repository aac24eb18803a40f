// How far a change has come over the fleet: which nodes act upon it, which do not yet, and from when on it is
// certain that none admits what it forbids. The members beside the key in the answer to a revocation.
#pragma once

#include "domain/errors.hpp"
#include "domain/time.hpp"
#include "net/asio.hpp"
#include "ports/node_registry.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

class KeyStore;

struct Propagation {
    // Nodes that have acknowledged the change; those that have not; by name.
    std::vector<std::string> applied;
    std::optional<std::vector<std::string>> pending; // empty: the registry did not answer, so it is not known
    WallTime certain_at{};
};

// Any coroutine of one executor.
class PropagationWatch {
public:
    static constexpr std::chrono::milliseconds k_longest_wait{1000};

    // `stale_while_unavailable` is that of the nodes. References must outlive the watch.
    PropagationWatch(KeyStore& keys, NodeRegistry& nodes, std::chrono::milliseconds stale_while_unavailable);

    // To be called after the commit: waits, at most k_longest_wait, until every node that shows a sign of
    // life has acknowledged what has been committed. `management`: asks of the nodes that verify management
    // keys, else of those that serve the data path.
    awaitable<Propagation> wait(bool management);

    // Tests set the clock of the answer.
    std::function<WallTime()> clock = wall_now;

private:
    KeyStore& keys_;
    NodeRegistry& nodes_;
    std::chrono::milliseconds stale_;
};

// {"applied":[...],"pending":[...],"certain_at":"..."}; pending is null where it is not known.
std::string propagation_to_json(const Propagation& propagation);
// The JSON object with the member "propagation" added.
std::string with_propagation(std::string object, const Propagation& propagation);

} // namespace gw
