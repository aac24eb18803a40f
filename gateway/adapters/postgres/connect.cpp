#include "adapters/postgres/connect.hpp"

#include "adapters/sql/store_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include <libpq-fe.h>
#include <poll.h>

namespace gw::postgres {

using sql::StoreError;

namespace {

struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using Connecting = std::unique_ptr<PGconn, Finish>;

[[noreturn]] void fail(PGconn* connection)
{
    std::string what = connection == nullptr ? "out of memory" : PQerrorMessage(connection);
    while (!what.empty() && what.back() == '\n')
        what.pop_back();
    std::replace(what.begin(), what.end(), '\n', ' ');
    throw StoreError{errc::unavailable, what};
}

Connecting start(const ConnectOptions& options)
{
    const std::string url{options.url.reveal()};
    const std::string password{options.password ? options.password->reveal() : std::string_view{}};
    // What stands before dbname may be overruled by the url, what stands behind it overrules it. A peer that
    // has gone without a word is noticed within about ten seconds, also by the listener, which never sends.
    std::array<const char*, 10> names{"keepalives_idle",
                                      "keepalives_interval",
                                      "keepalives_count",
                                      "tcp_user_timeout",
                                      "target_session_attrs",
                                      "fallback_application_name",
                                      "dbname",
                                      "client_encoding",
                                      "password",
                                      nullptr};
    std::array<const char*, 10> values{"5",          "2",         "3",    "10000",          "read-write",
                                       "portcullis", url.c_str(), "UTF8", password.c_str(), nullptr};
    if (!options.password)
        names[8] = nullptr;
    return Connecting{PQconnectStartParams(names.data(), values.data(), 1)};
}

// Until the socket can go on; false at the deadline.
bool wait_for(int socket, short events, Deadline deadline)
{
    using namespace std::chrono;
    while (true) {
        const auto left = ceil<milliseconds>(deadline - steady_clock::now()).count();
        if (left <= 0)
            return false;
        pollfd waiting{socket, events, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true; // an error shows when libpq goes on
    }
}

} // namespace

ConnectOptions ConnectOptions::clone() const
{
    ConnectOptions copy;
    copy.url = url.clone();
    if (password)
        copy.password = password->clone();
    copy.statement_timeout = statement_timeout;
    return copy;
}

void check_url(const ConnectOptions& options)
{
    const std::string url{options.url.reveal()};
    PQconninfoOption* parsed = PQconninfoParse(url.c_str(), nullptr);
    if (parsed == nullptr)
        throw StoreError{
            errc::invalid,
            "the url of the database cannot be read: write "
            "postgresql://USER@HOST:PORT/DATABASE?PARAMETER=VALUE, and percent-encode what is special"};
    PQconninfoFree(parsed);
}

pg_conn* connect(const ConnectOptions& options, Deadline deadline)
{
    Connecting connection = start(options);
    if (connection == nullptr || PQstatus(connection.get()) == CONNECTION_BAD)
        fail(connection.get());
    auto next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED)
            fail(connection.get());
        const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!wait_for(PQsocket(connection.get()), events, deadline)) {
            const char* host = PQhost(connection.get());
            const char* port = PQport(connection.get());
            throw StoreError{errc::unavailable, std::string{"no answer from "} + (host ? host : "?") +
                                                    " port " + (port ? port : "?") + " while connecting"};
        }
        next = PQconnectPoll(connection.get());
    }
    return connection.release();
}

} // namespace gw::postgres
