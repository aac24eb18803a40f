// The connections to the database, opened as they are needed and lent to one caller at a time. Any thread.
//
// When the server cannot be reached or does not answer, callers are turned away at once until the next
// attempt, which one of them makes; attempts come ever more seldom, at random distances, so that a fleet does
// not return all at once.
#pragma once

#include "adapters/postgres/connection.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace gw::postgres {

class ConnectionPool {
public:
    // At most `size` connections. Opens none yet.
    ConnectionPool(ConnectOptions options, std::size_t size);

    // A connection, given back at scope end, or closed if its session has ended.
    class Borrowed {
    public:
        Borrowed(ConnectionPool& pool, Deadline deadline) : pool_(pool), connection_(pool.take(deadline)) {}
        Borrowed(const Borrowed&) = delete;
        Borrowed& operator=(const Borrowed&) = delete;
        ~Borrowed() { pool_.give_back(std::move(connection_)); }
        Connection& operator*() const noexcept { return *connection_; }

    private:
        ConnectionPool& pool_;
        std::unique_ptr<Connection> connection_;
    };

    // Waits for a free one until the deadline, which is also set on the connection. Throws StoreError.
    Borrowed borrow(Deadline deadline) { return Borrowed{*this, deadline}; }
    // A server that had all its time and said nothing is out of reach for everyone.
    void note_silence();
    // Would borrow() turn a caller away now? Takes no lock.
    bool turns_away() const noexcept;

private:
    using Clock = std::chrono::steady_clock;

    std::unique_ptr<Connection> take(Deadline deadline);
    std::unique_ptr<Connection> take_idle();
    // Null if it failed and there are others that work.
    std::unique_ptr<Connection> open(Deadline deadline, std::unique_lock<std::mutex>& lock);
    void give_back(std::unique_ptr<Connection> connection) noexcept;
    // With the lock.
    void note_failure(const std::string& what);
    void note_success();

    ConnectOptions options_;
    const std::size_t size_;
    Watchdog dog_; // outlives the connections
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t open_ = 0;                // idle, lent and being opened
    unsigned failures_ = 0;               // in a row
    bool is_trying_ = false;              // one caller, after a failure
    std::atomic<Clock::rep> next_try_{0}; // not before; 0: whenever needed
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace gw::postgres
