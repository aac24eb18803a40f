// What a response says about the limits that were charged: the items of RateLimit and RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers, structured fields of RFC 9651) and the figures of the legacy
// X-RateLimit trio. The draft still moves: this is the one place that knows its syntax.
#pragma once

#include "domain/time.hpp"
#include "ports/rate_limiter.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace gw {

class RateLimitFields {
public:
    RateLimitFields() = default;
    RateLimitFields(const RateLimitFields&) = delete; // the views are into this object
    RateLimitFields& operator=(const RateLimitFields&) = delete;

    // Fills the members below from an admitted or refused answer to these charges. Policies in shadow mode are
    // not shown. Allocates nothing; a policy that finds no room (more than a dozen long names) is left out.
    void write(std::span<const Charge> charges, const LimitAnswer& answer, WallTime wall) noexcept;

    // False if there is nothing to show: no policy applies, or all are in shadow mode.
    bool any() const noexcept { return !items.empty(); }

    std::string_view policy_items; // "burst";q=20;w=20, "day";q=5000;w=86400
    std::string_view items;        // "burst";r=19;t=19, "day";r=4711;t=3600

    // Of the tightest policy: one that refused, else the one with the least remaining.
    std::uint64_t limit = 0, remaining = 0;
    std::int64_t reset_epoch_seconds = 0;

private:
    std::array<char, 1024> policy_buffer_, item_buffer_;
};

// For `violated-policies` of a 429's problem document: the names of the enforced policies that said no, as a
// JSON array's inside, `"burst","day"`, written to `out`; the part that was written. Names that find no room
// are left out.
std::string_view write_violated_policies(std::span<const Charge> charges, const LimitAnswer& answer,
                                         std::span<char> out) noexcept;

} // namespace gw
