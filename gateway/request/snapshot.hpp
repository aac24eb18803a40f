// Everything the data path knows of the configuration: compiled, immutable, shared by all workers. A reload
// builds a new one and hands it to each worker.
#pragma once

#include "domain/ids.hpp"
#include "domain/network.hpp"
#include "request/route_table.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

namespace gw {

struct CompiledPlan {
    std::vector<CompiledPolicy> of_key;    // the plan as carried by a key
    std::vector<CompiledPolicy> of_tenant; // the same plan as carried by a tenant: counters of their own
};

struct GatewayRules {
    std::size_t head_bytes = 16 * 1024;
    std::size_t head_fields = 100;
    std::chrono::milliseconds head_timeout{10000}, body_idle{30000}, keep_alive{75000};
    std::vector<Network> trusted_proxies;
    std::string brand = "pc";
    bool legacy_rate_limit_headers = true;
};

struct Snapshot {
    RouteTable routes;
    std::map<std::string, CompiledPlan, std::less<>> plans;
    std::unordered_set<KeyId> deny_keys;
    GatewayRules rules;
};

} // namespace gw
