// The numbered SQL migrations of the database (config/sql/postgres, embedded in the binary), applied in
// order, each in a transaction of its own and under one lock, and never again. What was applied is recorded
// with its checksum, and with the oldest release that can run with it, so that an older release knows whether
// it may go on.
#pragma once

#include "adapters/postgres/connection.hpp"
#include "adapters/sql/migration.hpp"

#include <string>
#include <vector>

namespace gw::postgres {

using sql::Migration; // its first line is "-- min_release: N"

class Migrations {
public:
    static Migrations embedded();
    // In ascending order of number, from 1, without gaps, each with its min_release; throws
    // std::invalid_argument.
    explicit Migrations(std::vector<Migration> known);

    // The names of those that apply() would run now; none if the database was migrated by a newer release
    // that this one may run beside. Changes nothing. Throws StoreError: errc::conflict if this release is too
    // old for the database, or the database was made by other migrations; errc::invalid if it does not hold
    // UTF-8.
    std::vector<std::string> plan(Connection& connection) const;
    // Makes the schema `portcullis` or brings it up to date. The names of those it has run. Throws as plan
    // does. Several processes may call it at once.
    std::vector<std::string> apply(Connection& connection) const;

private:
    // How many of the known ones the database has.
    std::size_t count_applied(Connection& connection) const;

    std::vector<Migration> known_;
};

} // namespace gw::postgres
