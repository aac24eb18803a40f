// Whether a server is worth asking. Closed: commands go out. After a few in a row that were not answered in
// time it opens: commands are refused at once, and a PING in the background finds out when the server is well
// again. Decides only; knows neither sockets nor clocks.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace gw::redis {

class Circuit {
public:
    using milliseconds = std::chrono::milliseconds;
    static constexpr unsigned k_failures_to_open = 3;
    static constexpr milliseconds k_first_pause{50}, k_longest_pause{1000};

    bool is_closed() const noexcept { return closed_; }

    void on_answer() noexcept { failures_ = 0; }
    // True if that has opened it.
    bool on_timeout() noexcept { return ++failures_ >= k_failures_to_open && open(); }
    bool open() noexcept { return std::exchange(closed_, false); }
    // A PING was answered in time.
    void close() noexcept
    {
        closed_ = true;
        failures_ = 0;
        pause_ = k_first_pause;
    }

    // How long to wait before the next PING, or the next attempt to connect: doubles up to a second, of which
    // half is left to chance, so that a fleet does not come back in step. `chance` is in [0, 1).
    milliseconds next_pause(double chance) noexcept
    {
        const milliseconds pause = pause_;
        pause_ = std::min(2 * pause_, k_longest_pause);
        return pause / 2 + milliseconds{static_cast<long>(chance * static_cast<double>((pause / 2).count()))};
    }

private:
    bool closed_ = false; // a new connection proves itself first
    unsigned failures_ = 0;
    milliseconds pause_ = k_first_pause;
};

} // namespace gw::redis
