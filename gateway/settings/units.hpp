// Values with units, as they stand in the file: durations, sizes, rates and quotas. Pure text to number; the
// caller knows the allowed range and says what is wrong.
#pragma once

#include "domain/limit_policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gw {

// "30s", "250ms", "5m", "2h", "90d": a whole number and one unit. Empty for anything else, also on overflow.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;
// "512B", "16KiB", "100MiB", "2GiB", "1TiB": in bytes.
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

struct Rate {
    std::uint64_t count = 0;
    std::chrono::milliseconds period{0};
};
// "100/s", "60/m", "5/10s": tokens per period.
std::optional<Rate> parse_rate(std::string_view text) noexcept;

struct Quota {
    std::uint64_t count = 0;
    QuotaPeriod period = QuotaPeriod::day;
};
// "10/h", "5000/d", "1000/mo".
std::optional<Quota> parse_quota(std::string_view text) noexcept;

// The same forms again, in the largest unit that loses nothing.
std::string format_duration(std::chrono::milliseconds value);
std::string format_size(std::uint64_t bytes);
std::string format_rate(std::uint64_t count, std::chrono::milliseconds period);
std::string format_quota(std::uint64_t count, QuotaPeriod period);

} // namespace gw
