// What the request stages of one worker may use. Everything outlives the worker's sessions. A stage takes only
// the members it needs, never the whole.
#pragma once

#include "net/upstream_pool.hpp"
#include "net/worker.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "request/connection_caps.hpp"
#include "request/open_exchanges.hpp"
#include "request/request_ids.hpp"
#include "request/request_memory.hpp"
#include "request/snapshot.hpp"
#include "request/usage_recorder.hpp"
#include "verification/ladder.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace gw {

class RateLimiter;

struct Services {
    Worker& worker;
    std::shared_ptr<const Snapshot> snapshot;
    Ladder& ladder;
    RateLimiter& limiter;
    std::vector<std::unique_ptr<UpstreamPool>>& upstreams; // by Route::upstream
    RequestMemoryPool& memory;
    RequestIds& ids;
    UsageRecorder& usage;
    AccessLog& access_log;
    WorkerMetrics& metrics;
    ConnectionCaps& caps;
    OpenExchanges& open_exchanges;
    bool draining = false; // set on the worker's thread
};

} // namespace gw
