// What a process that serves the data path has: the workers, the limits' housekeeping and the way of the
// counts into the usage store.
#pragma once

#include "app/background_work.hpp"
#include "app/data_plane.hpp"
#include "app/foundation.hpp"
#include "app/usage_flush.hpp"

namespace gw {

// Control thread only.
class GatewaySide {
public:
    // Binds the listeners; throws with the address that cannot be had. `base` must outlive the side.
    explicit GatewaySide(Foundation& base);

    DataPlane& plane() noexcept { return plane_; }
    void start(BackgroundWork& work);
    // From now on responses end their connections.
    void begin_drain() { plane_.begin_drain(); }
    // Leads the connections out, by `deadline` at the latest. Nothing is admitted when this returns.
    awaitable<void> end_sessions(MonoTime deadline);
    // Writes what has been counted and what was borrowed. After end_sessions and BackgroundWork::stop.
    awaitable<void> finish();

private:
    awaitable<void> sweep_limits();

    Foundation& base_;
    DataPlane plane_;
    UsageFlush flush_;
};

} // namespace gw
