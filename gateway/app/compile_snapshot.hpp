// Settings, once validated, become what the data path runs on.
#pragma once

#include "net/upstream_pool.hpp"
#include "request/snapshot.hpp"
#include "settings/settings.hpp"

#include <memory>
#include <vector>

namespace gw {

// Routes with their limits, plans and upstreams resolved; `settings` must be free of errors.
std::vector<Route> compile_routes(const Settings& settings);
std::shared_ptr<const Snapshot> compile_snapshot(const Settings& settings);
// In the order that Route::upstream counts.
std::vector<UpstreamPool::Options> compile_upstreams(const Settings& settings);

} // namespace gw
