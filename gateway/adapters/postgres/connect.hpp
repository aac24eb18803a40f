// Connecting to a PostgreSQL server within a deadline.
#pragma once

#include "adapters/postgres/watchdog.hpp"
#include "domain/secret.hpp"

#include <chrono>
#include <optional>

struct pg_conn; // libpq's

namespace gw::postgres {

struct ConnectOptions {
    Secret url;                     // postgresql://user@host:port/database?sslmode=...
    std::optional<Secret> password; // goes before one in the url
    // What the server itself gives a statement, before our deadline; so that a server that only is slow
    // answers, and one that does not answer is known to be out of reach. 0: unlimited.
    std::chrono::milliseconds statement_timeout{1'500};

    ConnectOptions clone() const;
};

// Throws StoreError with errc::invalid if libpq cannot read the url. Its own message may repeat a password,
// so this one does not repeat it.
void check_url(const ConnectOptions& options);

// A connection that is ready, the caller's to PQfinish. Throws StoreError with errc::unavailable, whose text
// names host, port and user, never the password. A name is looked up with the resolver's time-outs, not
// within the deadline.
pg_conn* connect(const ConnectOptions& options, Deadline deadline);

} // namespace gw::postgres
