// The operators' listener and, where the admin API is served, what stands behind it: the key service, the
// ladder for management keys, the scheduled work.
#pragma once

#include "admin/jobs/scheduler.hpp"
#include "admin/server.hpp"
#include "app/background_work.hpp"
#include "app/control_plane.hpp"
#include "app/foundation.hpp"
#include "keys/key_service.hpp"
#include "keys/propagation.hpp"
#include "verification/ladder.hpp"

namespace gw {

// Control thread only.
class AdminSide {
public:
    // `with_api` false: the listener serves /metrics, /livez and /readyz, and nothing else happens here.
    // References must outlive the side.
    AdminSide(Foundation& base, ControlPlane& control, bool with_api, std::function<Readiness()> readiness);

    // What the change feed has read, for the ladder.
    void apply(const std::vector<Change>& changes, MonoTime current_at);
    // Binds the listener; throws with the address that cannot be had.
    void start();
    // Takes part in the scheduled work, where the admin API is served. After ControlPlane::make_known: only then has a
    // predecessor that was killed lost its lease.
    void start_work(BackgroundWork& work);
    // Ends the scheduled work after the step under way.
    awaitable<void> stop_work() { return scheduler_.stop(); }
    // Ends the listener.
    awaitable<void> stop();

private:
    AdminServices services(std::function<Readiness()> readiness);
    ManagementAuth auth();
    awaitable<api_result<std::optional<KeyRecord>>> verify(std::string_view key, Address client);
    awaitable<void> sweep_keys(const Scheduler::MayGoOn& may_go_on);

    Foundation& base_;
    const bool with_api_;
    KeyService keys_;
    WorkerMetrics ladder_metrics_{0}; // of no worker: nobody reads them
    Ladder ladder_;
    PropagationWatch propagation_;
    Scheduler scheduler_;
    AdminServer server_;
};

} // namespace gw
