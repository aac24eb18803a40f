// Ends calls that a server does not answer. libpq waits without a time of its own, and its own time-outs do
// not help against a server that is stopped with its connections open; so a thread shuts the socket down when
// the call's deadline has passed, and libpq sees the end of the connection.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace gw::postgres {

using Deadline = std::chrono::steady_clock::time_point;

class Watchdog {
public:
    Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog(); // no watch may be left

    // While it exists, `socket` is shut down at `deadline`. The descriptor must stay open until then, and
    // must not be libpq's own: libpq closes that when it sees the end, and the number may be another
    // connection's by now.
    class Watch {
    public:
        Watch(Watchdog& dog, int socket, Deadline deadline);
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;
        ~Watch();

    private:
        Watchdog& dog_;
        std::multimap<Deadline, int>::iterator place_;
        bool set_;
    };

private:
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<Deadline, int> sockets_; // by when they end; one that was shut down stays, with -1
    bool stopping_ = false;
    std::thread thread_; // last
};

} // namespace gw::postgres
