// The head that goes upstream, composed from what the stages found. The rules are in header_rules.
#pragma once

#include "net/upstream_pool.hpp"
#include "request/exchange.hpp"
#include "request/request_memory.hpp"

namespace gw {

// Into memory.upstream_head.
void write_upstream_head(const Exchange& x, RequestMemory& memory, const UpstreamPool::Options& upstream);

} // namespace gw
