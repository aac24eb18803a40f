// The two clocks. Wall time is stored and shown (milliseconds since the epoch, UTC); monotonic time
// drives limits, deadlines and caches. Domain code takes either as a parameter and never reads a clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gw {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using MonoTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

inline WallTime wall_now()
{
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// 0 if `until` is before `from`: clocks of two machines may disagree.
constexpr std::uint64_t microseconds_between(WallTime from, WallTime until)
{
    return until <= from ? 0 : static_cast<std::uint64_t>(std::chrono::microseconds{until - from}.count());
}

// RFC 3339 in UTC with seconds: "2026-11-22T08:00:00Z".
std::string to_rfc3339(WallTime when);

// Accepts RFC 3339 with 'Z' or an offset, with or without a fraction; empty if it is anything else.
std::optional<WallTime> parse_rfc3339(std::string_view text);

} // namespace gw
