// Usage: what is counted per key version, route and minute, kept per worker and flushed in batches.
#pragma once

#include "domain/ids.hpp"
#include "domain/network.hpp"
#include "domain/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gw {

struct UsageCounts {
    std::uint64_t requests = 0, status_4xx = 0, status_5xx = 0, status_401 = 0, status_403 = 0, status_429 = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0; // bodies
    std::uint64_t latency_us_sum = 0;
    // Latency histogram: bucket i counts requests of at most 2^i x 64 microseconds; the last one the rest.
    static constexpr std::size_t k_latency_buckets = 20;
    std::array<std::uint32_t, k_latency_buckets> latency{};

    void add(const UsageCounts& other) noexcept;
    bool is_zero() const noexcept { return requests == 0; }
    friend bool operator==(const UsageCounts&, const UsageCounts&) = default;
};

// One row of a flush: the counts of a minute. Requests without a key have no key_id and version 0.
struct UsageRow {
    WallTime minute{};
    std::string tenant;
    std::optional<KeyId> key;
    std::uint32_t version = 0;
    std::string route; // empty: no route matched
    UsageCounts counts;
    friend bool operator==(const UsageRow&, const UsageRow&) = default;
};

struct LastUse {
    KeyId key;
    std::uint32_t version = 0;
    WallTime at{};
    Address address;
    friend bool operator==(const LastUse&, const LastUse&) = default;
};

// What a node writes at once. (node, sequence) makes it apply at most once, however often it is sent.
struct UsageBatch {
    std::string node;
    std::uint64_t sequence = 0;
    std::vector<UsageRow> rows;
    std::vector<LastUse> last_uses;
};

} // namespace gw
