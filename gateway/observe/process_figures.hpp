// What the kernel says of this process, for the usual process_* metrics.
#pragma once

#include <cstdint>
#include <optional>

namespace gw {

struct ProcessFigures {
    double cpu_seconds = 0; // user and system
    std::uint64_t resident_bytes = 0, virtual_bytes = 0;
    std::uint64_t open_fds = 0, max_fds = 0;
    std::uint64_t threads = 0;
};

// From /proc/self; empty if it cannot be read.
std::optional<ProcessFigures> read_process_figures();

} // namespace gw
