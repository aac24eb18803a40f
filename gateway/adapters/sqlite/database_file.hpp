// One database file: a writer connection and a few readers, so that reading never waits for a writer's fsync.
// Several processes may have it open at once.
//
// Every call names a deadline, returns errc and never throws SqliteError: what goes wrong is logged here,
// once. Any thread; calls block, so they are made on a blocking pool.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "domain/errors.hpp"
#include "net/offload.hpp"
#include "observe/log.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gw::sqlite {

class DatabaseFile {
public:
    // The file must exist (create_private_file). Throws SqliteError.
    DatabaseFile(std::filesystem::path file, Connection::Durability durability, std::size_t readers);

    // Calls `work(Connection&)`, which returns a result<T>, inside a write transaction: committed and durable
    // if it has a value, undone if it has an error.
    template <class Work>
    auto write(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("write", [&]() -> std::invoke_result_t<Work&, Connection&> {
            const auto lock = lock_writer(deadline);
            Transaction transaction{*writer_, Transaction::Kind::immediate};
            auto outcome = work(*writer_);
            if (outcome.has_value())
                transaction.commit();
            return outcome;
        });
    }

    // Calls `work(Connection&)`, which returns a result<T>, on one state of the file.
    template <class Work>
    auto read(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("read", [&]() -> std::invoke_result_t<Work&, Connection&> {
            const Borrowed reader{*this, deadline};
            Transaction transaction{reader.connection(), Transaction::Kind::snapshot};
            return work(reader.connection());
        });
    }

    // Outside of any transaction, on the writer: checkpoints and the like.
    template <class Work>
    auto maintain(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("maintain", [&]() -> std::invoke_result_t<Work&, Connection&> {
            const auto lock = lock_writer(deadline);
            return work(*writer_);
        });
    }

    // Where writes run: one thread, so that waiting writers never occupy the pool that readers need.
    BlockingPool& writing_pool() noexcept { return writing_pool_; }
    const std::filesystem::path& path() const noexcept { return file_; }

private:
    // A reader, given back at scope end.
    class Borrowed {
    public:
        Borrowed(DatabaseFile& file, Deadline deadline)
            : file_(file), connection_(file.borrow_reader(deadline))
        {
        }
        Borrowed(const Borrowed&) = delete;
        Borrowed& operator=(const Borrowed&) = delete;
        ~Borrowed() { file_.give_back_reader(std::move(connection_)); }
        Connection& connection() const noexcept { return *connection_; }

    private:
        DatabaseFile& file_;
        std::unique_ptr<Connection> connection_;
    };

    template <class Call>
    auto guarded(std::string_view operation, Call&& call) -> std::invoke_result_t<Call&>
    {
        try {
            return call();
        } catch (const SqliteError& error) {
            return report(operation, error);
        }
    }

    std::unique_lock<std::timed_mutex> lock_writer(Deadline deadline);
    std::unique_ptr<Connection> borrow_reader(Deadline deadline);
    void give_back_reader(std::unique_ptr<Connection> reader) noexcept;
    errc report(std::string_view operation, const SqliteError& error) const noexcept;

    std::filesystem::path file_;
    Connection::Durability durability_;
    std::timed_mutex writer_mutex_;
    std::unique_ptr<Connection> writer_;
    std::mutex readers_mutex_;
    std::condition_variable reader_is_back_;
    std::vector<std::unique_ptr<Connection>> idle_readers_;
    std::size_t unopened_readers_;
    BlockingPool writing_pool_{1}; // last: joined before the connections close
};

// Creates an empty file that only its owner may read, unless it exists. True if it was created. A missing
// folder is created, 0700. Throws SqliteError.
bool create_private_file(const std::filesystem::path& file);

} // namespace gw::sqlite
