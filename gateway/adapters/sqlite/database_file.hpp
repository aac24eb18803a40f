// One database file: a writer connection and a few readers, so that reading never waits for a writer's fsync.
// Several processes may have it open at once.
//
// Every call names a deadline, returns errc and never throws them: what goes wrong is logged here,
// once. Any thread; calls block, so they are made on a blocking pool.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/connection_set.hpp"
#include "domain/errors.hpp"
#include "net/offload.hpp"
#include "observe/log.hpp"

#include <filesystem>
#include <type_traits>

namespace gw::sqlite {

class DatabaseFile {
public:
    // The file must exist (create_private_file); it is opened by the first call.
    DatabaseFile(std::filesystem::path file, Connection::Durability durability, std::size_t readers);

    // Calls `work(Connection&)`, which returns a result<T>, inside a write transaction: committed and durable
    // if it has a value, undone if it has an error.
    template <class Work>
    auto write(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("write", [&]() -> std::invoke_result_t<Work&, Connection&> {
            const auto writer = writer_.borrow(deadline);
            Transaction transaction{*writer, Transaction::Kind::immediate};
            auto outcome = work(*writer);
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
            const auto reader = readers_.borrow(deadline);
            Transaction transaction{*reader, Transaction::Kind::snapshot};
            return work(*reader);
        });
    }

    // Outside of any transaction, on the writer: checkpoints and the like.
    template <class Work>
    auto maintain(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("maintain", [&]() -> std::invoke_result_t<Work&, Connection&> {
            const auto writer = writer_.borrow(deadline);
            return work(*writer);
        });
    }

    // Where writes run: one thread, so that waiting writers never occupy the pool that readers need.
    BlockingPool& writing_pool() noexcept { return writing_pool_; }
    const std::filesystem::path& path() const noexcept { return file_; }

private:
    template <class Call>
    auto guarded(std::string_view operation, Call&& call) -> std::invoke_result_t<Call&>
    {
        try {
            return call();
        } catch (const sql::StoreError& error) {
            return report(operation, error);
        }
    }

    errc report(std::string_view operation, const sql::StoreError& error) const noexcept;

    std::filesystem::path file_;
    ConnectionSet writer_, readers_;
    BlockingPool writing_pool_{1}; // last: joined before the connections close
};

// Creates an empty file that only its owner may read, unless it exists. True if it was created. A missing
// folder is created, 0700. Throws SqliteError.
bool create_private_file(const std::filesystem::path& file);

} // namespace gw::sqlite
