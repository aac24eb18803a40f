// Usage counts per key version, route and minute.
#pragma once

#include "domain/errors.hpp"
#include "domain/usage.hpp"
#include "net/asio.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gw {

struct UsageQuery {
    std::optional<std::string> tenant;
    std::optional<KeyId> key;
    std::optional<std::string> route;
    WallTime from{}, until{WallTime::max()}; // minutes in [from, until)
};

class UsageStore {
public:
    virtual ~UsageStore() = default;

    // Adds the batch's counts, once per (node, sequence): a repetition is accepted and changes nothing. A new
    // sequence of a node must be greater than its last. Last use times only move forward.
    virtual awaitable<result<void>> apply(const UsageBatch& batch) = 0;
    // The greatest sequence applied for this node; 0 if none.
    virtual awaitable<result<std::uint64_t>> last_sequence(const std::string& node) = 0;
    // Rows by minute, tenant, key, version, route.
    virtual awaitable<result<std::vector<UsageRow>>> read(const UsageQuery& query) = 0;
};

} // namespace gw
