#include "adapters/postgres/migrations.hpp"

#include "domain/time.hpp"
#include "observe/log.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace gw::postgres {

using sql::StoreError;

namespace {

struct EmbeddedMigration {
    const char* name;
    const char* sql;
};

constexpr EmbeddedMigration k_embedded[] = {
#include "postgres_migrations.inc"
};

// The number that a portcullis must know to run on a database with this migration.
std::optional<std::size_t> min_release_of(const Migration& migration)
{
    constexpr std::string_view k_label = "-- min_release: ";
    if (!migration.sql.starts_with(k_label))
        return std::nullopt;
    std::size_t number = 0;
    const char* text = migration.sql.data() + k_label.size();
    const auto [end, error] = std::from_chars(text, migration.sql.data() + migration.sql.size(), number);
    if (error != std::errc{} || *end != '\n' || number == 0 || number > migration.number())
        return std::nullopt;
    return number;
}

// Text that is no UTF-8 would be refused by one database and taken by the other.
void check_encoding(Connection& connection)
{
    const auto rows = connection.query("SELECT current_setting('server_encoding'), current_database()");
    if (rows[0].text(0) != "UTF8")
        throw StoreError{errc::invalid, "the database " + std::string{rows[0].text(1)} +
                                            " has the encoding " + std::string{rows[0].text(0)} +
                                            ": create one with ENCODING 'UTF8' TEMPLATE template0"};
}

// By queries, not by to_regclass() and its like, which within a transaction remember what was not there
// before it waited for the lock.
bool has_schema(Connection& connection)
{
    return !connection.query("SELECT 1 FROM pg_namespace WHERE nspname = 'portcullis'").empty();
}

bool has_record(Connection& connection)
{
    return !connection
                .query("SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
                       " WHERE n.nspname = 'portcullis' AND c.relname = 'schema_migrations'")
                .empty();
}

// Waits for whoever migrates at the moment, until this transaction's end.
void lock_schema(Connection& connection)
{
    connection.query("SELECT pg_advisory_xact_lock(7091540, 1)");
    // From here on, no longer than that behind a running node's transactions: new ones queue behind us.
    connection.execute("SET LOCAL lock_timeout = '10s'");
}

void make_record(Connection& connection)
{
    Transaction transaction{connection};
    lock_schema(connection);
    if (has_record(connection))
        return;
    // Not IF NOT EXISTS: that needs the right to create one also where an administrator has made it.
    if (!has_schema(connection))
        connection.execute("CREATE SCHEMA portcullis");
    connection.execute("CREATE TABLE portcullis.schema_migrations (number integer NOT NULL PRIMARY KEY,"
                       " name text NOT NULL, checksum text NOT NULL, min_release integer NOT NULL,"
                       " applied_at bigint NOT NULL)");
    transaction.commit();
}

} // namespace

Migrations Migrations::embedded()
{
    std::vector<Migration> known;
    for (const auto& [name, sql] : k_embedded)
        known.push_back({name, sql});
    return Migrations{std::move(known)};
}

Migrations::Migrations(std::vector<Migration> known) : known_(std::move(known))
{
    sql::check_numbers(known_);
    for (const auto& migration : known_)
        if (!min_release_of(migration))
            throw std::invalid_argument("migration " + migration.name +
                                        " does not begin with a right `-- min_release: N`");
}

std::size_t Migrations::count_applied(Connection& connection) const
{
    if (!has_record(connection))
        return 0;
    const auto rows = connection.query("SELECT number, name, checksum, min_release"
                                       " FROM portcullis.schema_migrations ORDER BY number");
    for (int i = 0; i < rows.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (at >= known_.size()) { // of a newer release
            if (rows[i].unsigned_integer(3) > known_.size())
                throw StoreError{errc::conflict,
                                 "the database was migrated by a newer portcullis (" +
                                     std::string{rows[i].text(1)} +
                                     "), which this one cannot run beside: install that version"};
        } else if (rows[i].unsigned_integer(0) != known_[at].number() ||
                   rows[i].text(2) != known_[at].checksum()) {
            throw StoreError{errc::conflict, "the database's migration " + std::string{rows[i].text(1)} +
                                                 " has other contents than " + known_[at].name +
                                                 " has in this portcullis: it is of another build"};
        }
    }
    return std::min(known_.size(), static_cast<std::size_t>(rows.size()));
}

std::vector<std::string> Migrations::plan(Connection& connection) const
{
    check_encoding(connection);
    std::vector<std::string> names;
    for (std::size_t i = count_applied(connection); i < known_.size(); ++i)
        names.push_back(known_[i].name);
    return names;
}

std::vector<std::string> Migrations::apply(Connection& connection) const
{
    std::vector<std::string> names;
    if (plan(connection).empty())
        return names;
    make_record(connection);
    while (true) {
        Transaction transaction{connection};
        lock_schema(connection);
        const std::size_t next = count_applied(connection); // perhaps another process was faster
        if (next == known_.size())
            return names;
        const Migration& migration = known_[next];
        connection.execute(migration.sql);
        connection.query(
            "INSERT INTO portcullis.schema_migrations (number, name, checksum, min_release, applied_at)"
            " VALUES ($1, $2, $3, $4, $5)",
            migration.number(), migration.name, migration.checksum(), *min_release_of(migration), wall_now());
        transaction.commit();
        log(LogLevel::info, "postgres.migrated", {{"migration", migration.name}});
        names.push_back(migration.name);
    }
}

} // namespace gw::postgres
