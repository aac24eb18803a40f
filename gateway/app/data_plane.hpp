// The workers and what each of them owns: its ladder, its upstream connections, its listeners, its counters.
// Built on the control thread, which alone calls the members below.
#pragma once

#include "app/stores.hpp"
#include "net/asio.hpp"
#include "observe/metrics.hpp"
#include "request/connection_caps.hpp"
#include "request/snapshot.hpp"
#include "settings/settings.hpp"
#include "verification/ladder.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace gw {

class DataPlane {
public:
    // Binds the listeners; throws with the address that cannot be had. All references must outlive the plane.
    DataPlane(const Settings& settings, Stores& stores, const VerificationStores& verification, BlockingPool& blocking,
              Metrics& metrics);
    // finish() must have returned, or start() never been called.
    ~DataPlane();

    void start();
    // What the listeners are bound to, in the order of the configuration.
    std::vector<Tcp::endpoint> addresses() const;

    // Hands changes to every worker; `applied` is called on a worker's thread once all of them have.
    void apply(const std::vector<Change>& changes, MonoTime feed_current_at, std::function<void()> applied);

    // What has been counted since the last call.
    awaitable<void> collect_usage(UsageBatch& batch);
    // After finish().
    void collect_rest(UsageBatch& batch);

    // From now on responses end their connections. New connections are still served.
    void begin_drain();
    // Accepts no more and wakes what is idle. Returns when every session has ended, or has been ended at `deadline`.
    awaitable<void> end_sessions(MonoTime deadline);
    // Ends the threads.
    void finish();

private:
    struct Lane;
    std::vector<std::string> route_ids_;
    ConnectionCaps caps_;
    std::vector<std::unique_ptr<Lane>> lanes_;
};

} // namespace gw
