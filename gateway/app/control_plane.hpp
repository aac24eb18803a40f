// What a process of any role does on its control thread to belong to the fleet: reads the change sequence,
// has every cache of the process apply it, acknowledges that, and is known as a node.
#pragma once

#include "app/node_presence.hpp"
#include "app/stores.hpp"
#include "verification/change_feed.hpp"

#include <functional>

namespace gw {

// Control thread only.
class ControlPlane {
public:
    // Has all caches of the process apply `changes`, and then calls `applied`, on any thread.
    using Apply = std::function<void(const std::vector<Change>& changes, MonoTime current_at,
                                     std::function<void()> applied)>;

    // References must outlive the plane; `apply` is called from start() on.
    ControlPlane(asio::io_context& context, Stores& stores, NodeBeat self, Metrics& metrics, Apply apply);

    const std::string& node() const noexcept { return presence_.node(); }

    // To be awaited before the process serves anything, then, once nothing can keep it from serving, the second: a node
    // that nobody knows of is one that nobody waits for. Both throw std::exception with a text for the terminal.
    awaitable<void> start();
    awaitable<void> make_known();
    // The two that last until stop().
    awaitable<void> read_changes() { return feed_.run(); }
    awaitable<void> beat() { return presence_.run(); }
    // What has been committed is applied by this process when this returns, unless the store does not answer.
    awaitable<void> apply_now();
    // Reads no more. The workers may be gone from now on.
    void stop_reading();
    // The node has gone. Nothing may be admitted any more.
    awaitable<void> leave() { return presence_.leave(); }

private:
    void dispatch(const std::vector<Change>& changes, MonoTime current_at);
    void all_applied(const std::vector<Change>& changes);
    awaitable<void> forget_predecessors();

    asio::io_context& context_;
    Stores& stores_;
    Metrics& metrics_;
    Apply apply_;
    NodePresence presence_;
    ChangeFeed feed_;
    std::unique_ptr<ChangePush> pushes_;       // wakes the feed
    std::size_t dispatched_ = 0, applied_ = 0; // batches
    Timer turn_;                               // of those who wait for applied_
};

} // namespace gw
