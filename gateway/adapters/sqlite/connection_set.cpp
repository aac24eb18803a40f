#include "adapters/sqlite/connection_set.hpp"

namespace gw::sqlite {

ConnectionSet::ConnectionSet(std::filesystem::path file, Connection::Durability durability, Use use,
                             std::size_t size)
    : file_(std::move(file)), durability_(durability), use_(use), unopened_(size)
{
    idle_.reserve(size); // giving one back cannot fail
}

std::unique_ptr<Connection> ConnectionSet::take(Deadline deadline)
{
    std::unique_lock lock{mutex_};
    const auto is_available = [&] { return !idle_.empty() || unopened_ != 0; };
    if (!one_is_back_.wait_until(lock, deadline, is_available))
        throw SqliteError{errc::unavailable, "the calls before this one did not end in time"};
    std::unique_ptr<Connection> connection;
    if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
        lock.unlock();
    } else {
        --unopened_;
        lock.unlock();
        try {
            connection = open();
        } catch (...) {
            lock.lock();
            ++unopened_;
            one_is_back_.notify_one();
            throw;
        }
    }
    connection->set_deadline(deadline);
    return connection;
}

std::unique_ptr<Connection> ConnectionSet::open() const
{
    auto connection = std::make_unique<Connection>(file_, durability_);
    if (use_ == Use::reading)
        connection->execute("PRAGMA query_only = ON");
    return connection;
}

void ConnectionSet::give_back(std::unique_ptr<Connection> connection) noexcept
{
    {
        const std::lock_guard lock{mutex_};
        idle_.push_back(std::move(connection));
    }
    one_is_back_.notify_one();
}

} // namespace gw::sqlite
