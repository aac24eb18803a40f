// Migrations of a SQLite file: order, checksums, newer schemas, backups, several processes at once.
#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/migrations.hpp"
#include "contract/sqlite_stores.hpp"
#include "observe/log.hpp"

#include <fstream>

using namespace gw;
using namespace gw::contract;
using sqlite::Migration;
using sqlite::Migrations;

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

const Migration k_first{"0001_main_a", "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);"};
const Migration k_second{"0002_main_b", "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO b SELECT x FROM a;"};

std::int64_t query(const fs::path& file, const char* sql)
{
    sqlite::Connection connection{file, sqlite::Connection::Durability::full};
    auto row = connection.prepare(sql);
    return row.step() ? row.integer(0) : -1;
}

errc code_of(const Migrations& migrations, const fs::path& file, std::string& what)
{
    try {
        migrations.apply(file);
    } catch (const sqlite::SqliteError& error) {
        what = error.what();
        return error.code();
    }
    return errc{};
}

} // namespace

TEST_CASE("sqlite migrations: all are planned for a new file, then applied once", "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "x.db";
    const Migrations migrations{{k_first, k_second}};
    const Names both{"0001_main_a", "0002_main_b"};
    CHECK(migrations.plan(file) == both);
    CHECK_FALSE(fs::exists(file));
    CHECK(migrations.apply(file) == both);
    CHECK(migrations.plan(file).empty());
    CHECK(migrations.apply(file).empty());
    CHECK(query(file, "SELECT count(*) FROM b") == 1);
    CHECK(query(file,
                "SELECT count(*) FROM schema_migrations WHERE applied_at > 0 AND length(checksum) = 64") ==
          2);
    CHECK_FALSE(fs::exists(file.string() + ".before-1.bak"));
}

TEST_CASE("sqlite migrations: an existing file is backed up before the pending ones", "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "x.db", backup = folder.path() / "x.db.before-2.bak";
    Migrations{{k_first}}.apply(file);
    const Migrations migrations{{k_first, k_second}};
    CHECK(migrations.plan(file) == Names{"0002_main_b"});
    CHECK(migrations.apply(file) == Names{"0002_main_b"});
    REQUIRE(fs::exists(backup));
    CHECK((fs::status(backup).permissions() & fs::perms::mask) ==
          (fs::perms::owner_read | fs::perms::owner_write));
    CHECK(query(backup, "SELECT count(*) FROM a") == 1);
    CHECK(query(backup, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'") == 0);
}

TEST_CASE("sqlite migrations: if one fails the file stays as it was", "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "x.db";
    const Migration broken{"0003_main_c",
                           "CREATE TABLE c (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"};
    Migrations{{k_first}}.apply(file);
    CHECK_THROWS_WITH((Migrations{{k_first, k_second, broken}}.apply(file)), Catch::Contains("nowhere"));
    CHECK(query(file, "SELECT count(*) FROM sqlite_schema WHERE name IN ('b', 'c')") == 0);
    CHECK(query(file, "SELECT count(*) FROM schema_migrations") == 1);
    CHECK(Migrations{{k_first, k_second}}.apply(file) == Names{"0002_main_b"});
}

TEST_CASE("sqlite migrations: a changed one and a newer file are refused", "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "x.db";
    Migrations{{k_first, k_second}}.apply(file);
    std::string what;
    CHECK(code_of(Migrations{{k_first}}, file, what) == errc::conflict);
    CHECK_THAT(what, Catch::Contains("newer portcullis") && Catch::Contains("0002_main_b"));
    const Migration changed{"0001_main_a", k_first.sql + " "};
    CHECK(code_of(Migrations{{changed, k_second}}, file, what) == errc::conflict);
    CHECK_THAT(what, Catch::Contains("0001_main_a") && Catch::Contains("other contents"));
    CHECK_THROWS_AS((Migrations{{k_first}}.plan(file)), sqlite::SqliteError);
}

TEST_CASE("sqlite migrations: eight at once on a new file apply each once", "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "x.db";
    const Migrations migrations{{k_first, k_second}};
    std::atomic<std::size_t> applied{0}, failed{0};
    in_parallel(8, [&](int) {
        try {
            applied += migrations.apply(file).size();
        } catch (const sqlite::SqliteError& error) {
            ++failed;
            log(LogLevel::error, "test.failed", {{"error", error.what()}});
        }
    });
    CHECK(failed == 0);
    CHECK(applied == 2);
    CHECK(query(file, "SELECT count(*) FROM b") == 1);
    CHECK_FALSE(fs::exists(file.string() + ".before-2.bak"));
}

TEST_CASE("sqlite migrations: numbers must follow each other", "[adapters]")
{
    CHECK_THROWS_AS((Migrations{{k_second}}), std::invalid_argument);
    CHECK_THROWS_AS((Migrations{{k_first, k_first}}), std::invalid_argument);
}

TEST_CASE("sqlite database: plans both files, and refuses to open what is not up to date if told to",
          "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "portcullis.db";
    const auto planned = sqlite::Database::plan(file);
    REQUIRE(planned.size() >= 2);
    CHECK(planned.front().substr(0, 10) == "0001_main_");
    CHECK(planned.back().find("_usage_") != std::string::npos);
    sqlite::Database::Options options;
    options.migrate = false;
    CHECK_THROWS_WITH((sqlite::Database{file, options}), Catch::Contains("portcullis migrate"));
    {
        sqlite::Database database{file};
    }
    CHECK(sqlite::Database::plan(file).empty());
    CHECK_NOTHROW(sqlite::Database{file, options});
}
