// Hears of changes as they are committed (LISTEN), on a connection and a thread of its own. What it hears
// only wakes the poll of the change sequence: a push that is lost delays nothing beyond the poll's interval.
#pragma once

#include "adapters/postgres/connect.hpp"

#include <atomic>
#include <functional>
#include <thread>

namespace gw::postgres {

class ChangeListener {
public:
    // Calls `wake` after commits with changes (one call for several is enough), and after every connecting,
    // since something may have been missed; on its own thread, until the listener is gone. Connects again,
    // ever more seldom, when the connection is lost.
    ChangeListener(ConnectOptions options, std::function<void()> wake);
    ChangeListener(const ChangeListener&) = delete;
    ChangeListener& operator=(const ChangeListener&) = delete;
    ~ChangeListener(); // waits for an attempt to connect, at most two seconds

    bool is_connected() const noexcept { return connected_.load(); }

private:
    void run();
    // Until the connection is lost (throws StoreError) or the listener is to stop.
    void listen();
    // True if it is time to stop; else after `pause`, or when `socket` (unless negative) becomes readable.
    bool wait(int socket, std::chrono::milliseconds pause) const;

    ConnectOptions options_;
    std::function<void()> wake_;
    std::atomic<bool> connected_{false};
    Watchdog dog_;
    int stop_;           // an eventfd
    std::thread thread_; // last
};

} // namespace gw::postgres
