#include "adapters/sqlite/migrations.hpp"

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/database_file.hpp"
#include "domain/time.hpp"
#include "observe/log.hpp"

namespace gw::sqlite {

namespace {

struct EmbeddedMigration {
    const char* name;
    const char* sql;
};

constexpr EmbeddedMigration k_embedded[] = {
#include "sqlite_migrations.inc"
};

struct Applied {
    std::uint32_t number;
    std::string name, checksum;
};

std::vector<Applied> read_applied(Connection& connection)
{
    auto exists =
        connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'");
    if (!exists.step())
        return {};
    std::vector<Applied> applied;
    auto rows = connection.prepare("SELECT number, name, checksum FROM schema_migrations ORDER BY number");
    while (rows.step())
        applied.push_back({static_cast<std::uint32_t>(rows.integer(0)), std::string{rows.text(1)},
                           std::string{rows.text(2)}});
    return applied;
}

// How many of the known ones the file has. Throws unless they are the first ones, unchanged.
std::size_t count_applied(const std::vector<Migration>& known, const std::vector<Applied>& applied,
                          const std::filesystem::path& file)
{
    if (applied.size() > known.size())
        throw SqliteError{errc::conflict,
                          file.string() + " was made by a newer portcullis (it has migration " +
                              applied.back().name + ", this one knows " + std::to_string(known.size()) +
                              "): run that version, or restore an older copy"};
    for (std::size_t i = 0; i < applied.size(); ++i)
        if (applied[i].number != known[i].number() || applied[i].checksum != known[i].checksum())
            throw SqliteError{errc::conflict, file.string() + ": migration " + applied[i].name +
                                                  " was applied with other contents than " + known[i].name +
                                                  " has in this portcullis: it is of another build"};
    return applied.size();
}

// Through a connection of its own: the caller's is in the middle of a transaction.
void back_up(const std::filesystem::path& file, std::uint32_t number)
{
    const std::filesystem::path backup = file.string() + ".before-" + std::to_string(number) + ".bak";
    const std::filesystem::path unfinished = backup.string() + ".tmp";
    std::error_code error;
    std::filesystem::remove(unfinished, error);
    create_private_file(unfinished);
    Connection{file, Connection::Durability::full}.copy_to(unfinished);
    std::filesystem::rename(unfinished, backup, error);
    if (error)
        throw SqliteError{errc::unavailable, "cannot write " + backup.string() + ": " + error.message()};
    log(LogLevel::info, "sqlite.backed_up", {{"file", file.native()}, {"backup", backup.native()}});
}

void apply_one(Connection& connection, const Migration& migration)
{
    connection.execute(migration.sql.c_str());
    const std::string checksum = migration.checksum();
    connection
        .prepare("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)")
        .bind(migration.number(), migration.name, checksum, wall_now())
        .run();
}

} // namespace

Migrations Migrations::embedded(std::string_view kind)
{
    std::vector<Migration> known;
    for (const auto& [name, sql] : k_embedded)
        if (const std::string_view rest = std::string_view{name}.substr(5);
            rest.substr(0, rest.find('_')) == kind)
            known.push_back({name, sql});
    return Migrations{std::move(known)};
}

Migrations::Migrations(std::vector<Migration> known) : known_(std::move(known))
{
    sql::check_numbers(known_);
}

std::vector<std::string> Migrations::plan(const std::filesystem::path& file) const
{
    std::size_t done = 0;
    if (std::error_code ignored; std::filesystem::exists(file, ignored)) {
        Connection connection{file, Connection::Durability::full};
        done = count_applied(known_, read_applied(connection), file);
    }
    std::vector<std::string> names;
    for (std::size_t i = done; i < known_.size(); ++i)
        names.push_back(known_[i].name);
    return names;
}

std::vector<std::string> Migrations::apply(const std::filesystem::path& file) const
{
    create_private_file(file);
    Connection connection{file, Connection::Durability::full};
    if (count_applied(known_, read_applied(connection), file) == known_.size())
        return {};
    // Nobody else writes from here on, neither another migration nor what the backup would miss.
    connection.set_deadline(Deadline::max());
    Transaction transaction{connection, Transaction::Kind::immediate};
    const std::size_t done = count_applied(known_, read_applied(connection), file);
    if (done != 0 && done < known_.size())
        back_up(file, known_[done].number());
    connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER NOT NULL PRIMARY KEY,"
                       " name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
    std::vector<std::string> names;
    for (std::size_t i = done; i < known_.size(); ++i) {
        apply_one(connection, known_[i]);
        names.push_back(known_[i].name);
    }
    transaction.commit();
    for (const auto& name : names)
        log(LogLevel::info, "sqlite.migrated", {{"file", file.native()}, {"migration", name}});
    return names;
}

} // namespace gw::sqlite
