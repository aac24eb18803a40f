// The shared store: one PostgreSQL database, in it the schema `portcullis` (tenants, keys, changes, audit,
// quotas, nodes) and the schema `portcullis_usage`. The stores in this folder share one Database, and it
// outlives them.
//
// Every call names a deadline, returns errc and never throws StoreError: what goes wrong is logged here,
// once. Any thread; calls block, so they are made on the database's own threads (calls.hpp).
#pragma once

#include "adapters/postgres/connection_pool.hpp"
#include "domain/errors.hpp"
#include "domain/time.hpp"
#include "net/offload.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gw::postgres {

class Database {
public:
    struct Options {
        Secret url;
        std::optional<Secret> password;
        std::size_t connections = 8;
        std::chrono::milliseconds deadline{2'000}; // a call that takes longer fails with errc::unavailable
    };

    // Connects, and refuses a database whose schema is not up to date or is of a release that this one cannot
    // run beside. Throws StoreError, whose text says what to do.
    explicit Database(Options options);

    // The names of the migrations that migrate() would run now. Both throw as the constructor does.
    static std::vector<std::string> plan(const Options& options);
    // Brings the schema up to date; those it has run. Several processes may call it at once.
    static std::vector<std::string> migrate(const Options& options);

    // Calls `work(Connection&)`, which returns a result<T>, inside a transaction: committed if it has a
    // value, undone if it has an error. Called again when others got in its way, so it must leave nothing
    // behind.
    template <class Work>
    auto write(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("write", deadline, true, [&]() -> std::invoke_result_t<Work&, Connection&> {
            const auto connection = pool_.borrow(deadline);
            Transaction transaction{*connection};
            auto outcome = work(*connection);
            if (outcome.has_value())
                transaction.commit();
            return outcome;
        });
    }

    // Calls `work(Connection&)`, which returns a result<T> and reads with one statement.
    template <class Work>
    auto read(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("read", deadline, true, [&]() -> std::invoke_result_t<Work&, Connection&> {
            const auto connection = pool_.borrow(deadline);
            return work(*connection);
        });
    }

    // The same for one statement that writes: a transaction of its own, in one round trip. If the answer is
    // lost it is not repeated: errc::in_doubt.
    template <class Work>
    auto write_once(Deadline deadline, Work&& work) -> std::invoke_result_t<Work&, Connection&>
    {
        return guarded("write", deadline, false, [&]() -> std::invoke_result_t<Work&, Connection&> {
            const auto connection = pool_.borrow(deadline);
            return work(*connection);
        });
    }

    // When a call that starts now must have ended.
    Deadline deadline() const { return std::chrono::steady_clock::now() + deadline_; }
    bool turns_away() const noexcept { return pool_.turns_away(); }
    // For a listener: a connection of its own.
    const ConnectOptions& connect_options() const noexcept { return connect_; }

    // Where calls run. Writers wait for each other (the change counter), so they have threads of their own,
    // and never all connections.
    BlockingPool& reading_pool() noexcept { return reading_pool_; }
    BlockingPool& writing_pool() noexcept { return writing_pool_; }

private:
    template <class Call>
    auto guarded(std::string_view operation, Deadline deadline, bool may_repeat, Call&& call)
        -> std::invoke_result_t<Call&>
    {
        for (unsigned attempt = 1;; ++attempt) {
            try {
                return call();
            } catch (const PostgresError& error) {
                if (!is_worth_repeating(error, deadline, may_repeat, attempt))
                    return report(operation, error, may_repeat);
            } catch (const sql::StoreError& error) {
                return report(operation, error);
            }
        }
    }

    bool is_worth_repeating(const PostgresError& error, Deadline deadline, bool may_repeat, unsigned attempt);
    errc report(std::string_view operation, const PostgresError& error, bool may_repeat);
    errc report(std::string_view operation, const sql::StoreError& error);

    std::chrono::milliseconds deadline_;
    ConnectOptions connect_;
    ConnectionPool pool_;
    std::atomic<std::int64_t> last_report_s_{0}; // of a store that was out of reach
    BlockingPool writing_pool_, reading_pool_;   // last: joined before the connections close
};

} // namespace gw::postgres
