#include "adapters/postgres/connection_pool.hpp"

#include "observe/log.hpp"

#include <algorithm>

namespace gw::postgres {

namespace {

constexpr std::chrono::milliseconds k_first_pause{100}, k_longest_pause{2'000};

[[noreturn]] void turn_away()
{
    throw PostgresError{errc::unavailable, PostgresError::Kind::turned_away, "the database is out of reach"};
}

} // namespace

ConnectionPool::ConnectionPool(ConnectOptions options, std::size_t size)
    : options_(std::move(options)), size_(size)
{
    idle_.reserve(size); // giving one back cannot fail
}

bool ConnectionPool::turns_away() const noexcept
{
    const auto next = next_try_.load(std::memory_order_relaxed);
    return next != 0 && Clock::now().time_since_epoch().count() < next;
}

std::unique_ptr<Connection> ConnectionPool::take(Deadline deadline)
{
    std::unique_lock lock{mutex_};
    bool may_open = true;
    while (true) {
        if (failures_ != 0 && (is_trying_ || turns_away()))
            turn_away();
        if (auto idle = take_idle()) {
            idle->set_deadline(deadline);
            return idle;
        }
        if (may_open && open_ < size_) {
            if (auto opened = open(deadline, lock))
                return opened;
            may_open = false; // the server may be full, and the others' connections still work
            continue;
        }
        if (changed_.wait_until(lock, deadline) == std::cv_status::timeout)
            throw PostgresError{errc::unavailable, PostgresError::Kind::refused,
                                "all connections were in use until the deadline"};
    }
}

std::unique_ptr<Connection> ConnectionPool::take_idle()
{
    while (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        if (!connection->has_ended())
            return connection;
        --open_; // a server that was restarted has ended them all
    }
    return nullptr;
}

std::unique_ptr<Connection> ConnectionPool::open(Deadline deadline, std::unique_lock<std::mutex>& lock)
{
    ++open_;
    is_trying_ = failures_ != 0;
    lock.unlock();
    std::unique_ptr<Connection> connection;
    std::string fault;
    try {
        connection = std::make_unique<Connection>(options_, deadline, dog_);
    } catch (const sql::StoreError& error) {
        fault = error.what();
    }
    lock.lock();
    is_trying_ = false;
    if (connection) {
        note_success();
        return connection;
    }
    if (--open_ == 0 || failures_ != 0) {
        note_failure(fault);
        turn_away();
    }
    log(LogLevel::warn, "postgres.no_more_connections", {{"error", fault}, {"open", std::to_string(open_)}});
    return nullptr;
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) noexcept
{
    bool is_kept = false;
    {
        const std::lock_guard lock{mutex_};
        is_kept = connection->is_usable() && failures_ == 0;
        if (is_kept)
            idle_.push_back(std::move(connection));
    }
    if (!is_kept) {
        connection.reset(); // outside of the lock: it says farewell
        const std::lock_guard lock{mutex_};
        --open_;
    }
    changed_.notify_one();
}

void ConnectionPool::note_silence()
{
    const std::lock_guard lock{mutex_};
    if (failures_ == 0) // others may have waited with the one that said so first
        note_failure("it has not answered within a statement's time");
}

void ConnectionPool::note_failure(const std::string& what)
{
    ++failures_;
    // Doubled each time, and of that a random half to whole.
    const auto longest = std::min(k_longest_pause, k_first_pause * (1 << std::min(failures_ - 1, 8u)));
    std::uniform_int_distribution<std::int64_t> pick{longest.count() / 2, longest.count()};
    next_try_ = (Clock::now() + std::chrono::milliseconds{pick(random_)}).time_since_epoch().count();
    open_ -= idle_.size();
    idle_.clear(); // of a server that is not there any more, or hangs with them
    changed_.notify_all();
    if (failures_ == 1)
        log(LogLevel::warn, "postgres.out_of_reach", {{"error", what}});
}

void ConnectionPool::note_success()
{
    next_try_ = 0;
    if (failures_ == 0)
        return;
    failures_ = 0;
    log(LogLevel::info, "postgres.reachable_again");
}

} // namespace gw::postgres
