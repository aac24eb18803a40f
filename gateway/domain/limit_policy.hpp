// One limit as declared: a token bucket, a calendar quota or a number of requests at once, and what it is
// counted per. And the identity of a counter, which must survive every reload of the configuration.
#pragma once

#include "domain/time.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gw {

enum class CountedPer : std::uint8_t { key, owner, tenant, ip, route };
enum class QuotaPeriod : std::uint8_t { hour, day, month };
enum class OnOutage : std::uint8_t { local, open, closed };

std::string_view to_string(CountedPer per) noexcept;

struct LimitPolicy {
    enum class Kind : std::uint8_t { bucket, quota, concurrency };

    std::string name;
    Kind kind = Kind::bucket;
    CountedPer per = CountedPer::key;
    // A bucket refills `rate_count` tokens every `rate_period`, and holds `burst`.
    std::uint64_t rate_count = 0;
    Duration rate_period{std::chrono::seconds{1}};
    std::uint64_t burst = 0;
    // A quota admits `quota` per calendar period (UTC).
    std::uint64_t quota = 0;
    QuotaPeriod quota_period = QuotaPeriod::day;
    std::uint64_t concurrency = 0; // requests that may be under way at once
    bool enforce = true; // false: shadow mode, counted and reported, never refused
    OnOutage on_outage = OnOutage::local;
    bool exact = false;

    friend bool operator==(const LimitPolicy&, const LimitPolicy&) = default;
};

// 128 bits that stand for one half of a counter's identity.
struct Identity128 {
    std::uint64_t high = 0, low = 0;
    friend auto operator<=>(const Identity128&, const Identity128&) = default;
};

// The first 128 bits of SHA-256 over the length-prefixed parts.
Identity128 identity_of(std::initializer_list<std::string_view> parts) noexcept;

// A counter's identity: the policy (where it is declared, that one's id, policy name, tenant) and the
// partition (key, owner, tenant, address or route) it counts. Never the configuration's version.
struct CounterId {
    Identity128 policy;
    Identity128 partition;
    friend auto operator<=>(const CounterId&, const CounterId&) = default;
};

} // namespace gw

template <>
struct std::hash<gw::CounterId> {
    std::size_t operator()(const gw::CounterId& id) const noexcept
    {
        const std::uint64_t x = (id.policy.low ^ (id.policy.high << 1)) * 0x9E3779B97F4A7C15u;
        return (x ^ id.partition.low ^ (id.partition.high * 0xC2B2AE3D27D4EB4Fu)) * 0xBF58476D1CE4E5B9u;
    }
};
