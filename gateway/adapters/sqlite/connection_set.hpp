// A few connections to one file, opened as they are needed and lent to one caller at a time. Any thread.
#pragma once

#include "adapters/sqlite/connection.hpp"

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gw::sqlite {

class ConnectionSet {
public:
    enum class Use : std::uint8_t { reading, writing };

    // At most `size` connections. Opens none yet.
    ConnectionSet(std::filesystem::path file, Connection::Durability durability, Use use, std::size_t size);

    // A connection, given back at scope end.
    class Borrowed {
    public:
        Borrowed(ConnectionSet& set, Deadline deadline) : set_(set), connection_(set.take(deadline)) {}
        Borrowed(const Borrowed&) = delete;
        Borrowed& operator=(const Borrowed&) = delete;
        ~Borrowed() { set_.give_back(std::move(connection_)); }
        Connection& operator*() const noexcept { return *connection_; }

    private:
        ConnectionSet& set_;
        std::unique_ptr<Connection> connection_;
    };

    // Waits for a free one until the deadline, which is also set on the connection. Throws SqliteError.
    Borrowed borrow(Deadline deadline) { return Borrowed{*this, deadline}; }

private:
    std::unique_ptr<Connection> take(Deadline deadline);
    std::unique_ptr<Connection> open() const;
    void give_back(std::unique_ptr<Connection> connection) noexcept;

    std::filesystem::path file_;
    Connection::Durability durability_;
    Use use_;
    std::mutex mutex_;
    std::condition_variable one_is_back_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t unopened_;
};

} // namespace gw::sqlite
