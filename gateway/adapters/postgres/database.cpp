#include "adapters/postgres/database.hpp"

#include "adapters/postgres/migrations.hpp"
#include "observe/log.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace gw::postgres {

namespace {

constexpr unsigned k_most_attempts = 10;

ConnectOptions session_options(const Database::Options& options)
{
    ConnectOptions out;
    out.url = options.url.clone();
    if (options.password)
        out.password = options.password->clone();
    // Three quarters: what a server that is only slow needs to say so in time.
    out.statement_timeout = options.deadline * 3 / 4;
    return out;
}

// For work on the schema, which takes the time that it takes.
ConnectOptions schema_options(const Database::Options& options)
{
    ConnectOptions out = session_options(options);
    out.statement_timeout = std::chrono::milliseconds{0};
    check_url(out);
    return out;
}

template <class Work>
auto with_schema(const Database::Options& options, Work work)
{
    Watchdog dog;
    const auto connecting =
        std::chrono::steady_clock::now() + std::max(options.deadline, std::chrono::milliseconds{5'000});
    Connection connection{schema_options(options), connecting, dog};
    connection.set_deadline(Deadline::max());
    return work(connection);
}

std::size_t writers_of(std::size_t connections)
{
    return std::max<std::size_t>(1, connections / 4);
}

} // namespace

Database::Database(Options options)
    : deadline_(options.deadline), connect_(session_options(options)),
      pool_(connect_.clone(), options.connections), writing_pool_(writers_of(options.connections)),
      reading_pool_(std::max<std::size_t>(1, options.connections - writers_of(options.connections)))
{
    const auto pending = plan(options);
    if (!pending.empty())
        throw PostgresError{errc::conflict, PostgresError::Kind::refused,
                            "the database's schema is not up to date (" + std::to_string(pending.size()) +
                                " pending, first " + pending.front() + "): run `portcullis migrate`"};
}

std::vector<std::string> Database::plan(const Options& options)
{
    return with_schema(options,
                       [](Connection& connection) { return Migrations::embedded().plan(connection); });
}

std::vector<std::string> Database::migrate(const Options& options)
{
    return with_schema(options,
                       [](Connection& connection) { return Migrations::embedded().apply(connection); });
}

bool Database::is_worth_repeating(const PostgresError& error, Deadline deadline, bool may_repeat,
                                  unsigned attempt)
{
    using Kind = PostgresError::Kind;
    if (error.kind() == Kind::silent)
        pool_.note_silence();
    const bool is_passing = error.kind() == Kind::transient || (error.kind() == Kind::lost && may_repeat);
    if (!is_passing || attempt >= k_most_attempts)
        return false;
    if (error.kind() == Kind::transient) { // not in step with those that are in the way
        thread_local std::minstd_rand random{std::random_device{}()};
        std::this_thread::sleep_for(std::chrono::milliseconds{1 + random() % (5 * attempt)});
    }
    return std::chrono::steady_clock::now() < deadline;
}

errc Database::report(std::string_view operation, const PostgresError& error, bool may_repeat)
{
    using Kind = PostgresError::Kind;
    const bool is_answer = error.code() == errc::conflict || error.code() == errc::not_found;
    if (is_answer || error.kind() == Kind::turned_away) // the pool has said so, once
        return error.code();
    if (!may_repeat && (error.kind() == Kind::lost || error.kind() == Kind::silent)) {
        log(LogLevel::error, "postgres.in_doubt", {{"operation", operation}, {"error", error.what()}});
        return errc::in_doubt;
    }
    return report(operation, static_cast<const sql::StoreError&>(error));
}

errc Database::report(std::string_view operation, const sql::StoreError& error)
{
    if (error.code() == errc::unavailable) { // of a thousand callers that wait for one server, one is enough
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                             std::chrono::steady_clock::now().time_since_epoch())
                             .count();
        if (last_report_s_.exchange(now) == now)
            return error.code();
    }
    log(LogLevel::error, "postgres.failed", {{"operation", operation}, {"error", error.what()}});
    return error.code();
}

} // namespace gw::postgres
