// May this caller use this route? Pure: no store, no clock, nothing but the two.
#pragma once

#include "observe/metrics.hpp"
#include "request/exchange.hpp"

namespace gw {

// Environment, scopes, tenants of the route; IP allow-list of the key. pass or refused.
Verdict authorize(Exchange& x, WorkerMetrics& metrics);

} // namespace gw
