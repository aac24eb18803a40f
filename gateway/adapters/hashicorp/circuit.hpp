// Whether the server is worth asking: open after three failures in a row, closed again by the first success. While
// it is open, calls are refused at once and a probe asks for the server's health. Decisions only, no I/O.
#pragma once

#include <algorithm>
#include <chrono>

namespace gw::hashicorp {

class Circuit {
public:
    static constexpr unsigned k_failures = 3;

    bool is_open() const noexcept { return failures_ >= k_failures; }
    bool has_failed() const noexcept { return failures_ > 0; }

    // True if this was the failure that opened it.
    bool failed() noexcept
    {
        const bool was_open = is_open();
        failures_ = std::min(failures_ + 1, k_failures);
        return !was_open && is_open();
    }
    // True if it was open.
    bool succeeded() noexcept
    {
        const bool was_open = is_open();
        failures_ = 0;
        probe_after_ = k_first_probe;
        return was_open;
    }

    // How long to wait before the next probe: doubles up to one second until something succeeds.
    std::chrono::milliseconds next_probe() noexcept
    {
        const auto now = probe_after_;
        probe_after_ = std::min(2 * probe_after_, k_slowest_probe);
        return now;
    }

private:
    static constexpr std::chrono::milliseconds k_first_probe{100}, k_slowest_probe{1000};
    unsigned failures_ = 0;
    std::chrono::milliseconds probe_after_ = k_first_probe;
};

} // namespace gw::hashicorp
