// Drives N keep-alive connections from one thread: open loop (a request is due every 1/rate seconds whatever
// the server does) or closed loop (the next request as soon as the answer is there).
#pragma once

#include "key_source.hpp"
#include "response_reader.hpp"
#include "tally.hpp"

#include <cstdint>
#include <deque>
#include <netinet/in.h>
#include <string>
#include <vector>

namespace load {

struct Plan {
    sockaddr_in target{};
    std::uint32_t first_source = 0, last_source = 0; // IPv4, host order; 0: the system chooses
    double rate = 0;                                 // requests a second; 0: closed loop
    double seconds = 5;
    double warmup_seconds = 0;                       // not counted
    double timeout_seconds = 10;                     // per request, from when it was sent
    std::uint64_t max_requests = 0;                  // 0: until the time is over
    int connections = 1;
    bool head_request = false;
    bool reconnect_each = false;                     // a new connection for every request
    std::string before_key; // request text up to the key's value ...
    std::string after_key;  // ... and from there on, body included
};

class Driver {
public:
    Driver(Plan plan, KeySource keys, Tally& tally);
    ~Driver();
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    // Runs to the end; the seconds that the counted part took.
    double run();

private:
    struct Connection {
        enum class State : std::uint8_t { closed, connecting, idle, busy } state = State::closed;
        int fd = -1;
        std::uint32_t source = 0;
        std::int64_t due = 0, sent = 0, retry_at = 0;
        std::string out;
        std::size_t written = 0;
        bool wants_write = false;
        ResponseReader reader;
    };

    void start_due(std::int64_t now);
    void start(Connection& c, std::int64_t due, std::int64_t now);
    void open(Connection& c);
    void write(Connection& c);
    void watch(Connection& c, bool writable);
    void on_event(Connection& c, std::uint32_t events);
    void on_readable(Connection& c);
    void on_closed(Connection& c, int error);
    void finished(Connection& c);
    void fail(Connection& c, Failure kind);
    void close(Connection& c);
    void check_timeouts(std::int64_t now);
    bool is_over(std::int64_t now) const;
    void arm_timer(std::int64_t at) const;

    Plan plan_;
    KeySource keys_;
    Tally& tally_;
    int epoll_ = -1, timer_ = -1;
    std::vector<Connection> connections_;
    std::deque<std::size_t> free_; // idle or closed, longest free first, so that all of them are used
    std::vector<char> buffer_;
    std::int64_t begin_ = 0, end_ = 0;
    std::uint64_t issued_ = 0, busy_ = 0;
};

// CLOCK_MONOTONIC in nanoseconds.
std::int64_t monotonic_ns() noexcept;

} // namespace load
