// Charges every limit that applies: the key's own, its plan's, its tenant's plan's, the route's. Every one that
// applies must admit, so a key's own limits can only tighten.
#pragma once

#include "observe/metrics.hpp"
#include "request/exchange.hpp"
#include "request/snapshot.hpp"

namespace gw {

class RateLimiter;

// admitted, refused (over a limit), or ask_the_stores: then await RateLimiter::charge and go on with judge().
Verdict limit(Exchange& x, const Snapshot& snapshot, RateLimiter& limiter, WorkerMetrics& metrics);
// What the limiter's answer in x.limits means.
Verdict judge_limits(Exchange& x, WorkerMetrics& metrics);

} // namespace gw
