// Request ids and trace contexts: unique, not unpredictable, so a fast generator per worker is enough.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace gw {

class RequestIds {
public:
    // Seeded from the operating system. One thread.
    RequestIds();

    // 32 hex digits.
    std::string_view next_id(std::span<char, 32> out) noexcept;
    // A new trace context, W3C Trace Context section 3.2: version 00, random ids, sampled.
    std::string_view next_traceparent(std::span<char, 55> out) noexcept;

private:
    std::uint64_t next() noexcept;
    std::array<std::uint64_t, 2> state_;
};

} // namespace gw
