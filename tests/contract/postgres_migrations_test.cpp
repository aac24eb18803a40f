// Migrations of a PostgreSQL database: order, checksums, neighbouring releases, several processes at once.
#include "adapters/postgres/migrations.hpp"
#include "contract/postgres_stores.hpp"

#include <sys/wait.h>
#include <unistd.h>

using namespace gw;
using namespace gw::contract;
using postgres::Migration;
using postgres::Migrations;
using Names = std::vector<std::string>;
using Catch::Contains;

namespace {

const Migration k_first{"0001_main_a",
                        "-- min_release: 1\nCREATE TABLE a (x integer); INSERT INTO a VALUES (1);"};
const Migration k_second{"0002_main_b",
                         "-- min_release: 1\nCREATE TABLE b (x integer); INSERT INTO b SELECT x FROM a;"};
const Migration k_third{"0003_main_c", "-- min_release: 3\nCREATE TABLE c (x integer)"};

class Schema {
public:
    explicit Schema(const Secret& url)
        : connection_(options(url), std::chrono::steady_clock::now() + seconds{10}, dog_)
    {
        connection_.set_deadline(postgres::Deadline::max());
    }
    postgres::Connection* operator->() { return &connection_; }
    postgres::Connection& operator*() { return connection_; }

private:
    static postgres::ConnectOptions options(const Secret& url)
    {
        postgres::ConnectOptions out;
        out.url = url.clone();
        out.statement_timeout = std::chrono::milliseconds{0};
        return out;
    }
    postgres::Watchdog dog_;
    postgres::Connection connection_;
};

errc code_of(const Migrations& migrations, Schema& schema, std::string& what)
{
    try {
        migrations.plan(*schema);
    } catch (const sql::StoreError& error) {
        what = error.what();
        return error.code();
    }
    return errc{};
}

} // namespace

TEST_CASE("postgres migrations: are planned, applied in order, and never again", "[adapters][postgres]")
{
    Schema schema{PostgresServer::shared().new_database()};
    const Migrations migrations{{k_first, k_second}};
    CHECK(migrations.plan(*schema) == Names{"0001_main_a", "0002_main_b"});
    CHECK(migrations.plan(*schema) == Names{"0001_main_a", "0002_main_b"}); // planning changed nothing
    CHECK(migrations.apply(*schema) == Names{"0001_main_a", "0002_main_b"});
    CHECK(schema->query("SELECT x FROM portcullis.b")[0].integer(0) == 1);
    CHECK(migrations.plan(*schema).empty());
    CHECK(migrations.apply(*schema).empty());
    CHECK(Migrations{{k_first, k_second, k_third}}.apply(*schema) == Names{"0003_main_c"});
}

TEST_CASE("postgres migrations: one that fails leaves those before it", "[adapters][postgres]")
{
    Schema schema{PostgresServer::shared().new_database()};
    const Migration broken{"0002_main_b",
                           "-- min_release: 1\nCREATE TABLE b (x integer); SELECT 1 FROM nowhere"};
    CHECK_THROWS_WITH((Migrations{{k_first, broken}}.apply(*schema)), Contains("nowhere"));
    CHECK(Migrations{{k_first, k_second}}.plan(*schema) == Names{"0002_main_b"});
    CHECK(Migrations{{k_first, k_second}}.apply(*schema) == Names{"0002_main_b"});
}

TEST_CASE("postgres migrations: an older release runs beside a newer one as far as the newer allows",
          "[adapters][postgres]")
{
    Schema schema{PostgresServer::shared().new_database()};
    Migrations{{k_first, k_second}}.apply(*schema);
    std::string what;
    CHECK(code_of(Migrations{{k_first}}, schema, what) == errc{}); // 0002 says: from release 1 on
    CHECK(Migrations{{k_first}}.plan(*schema).empty());
    CHECK(Migrations{{k_first}}.apply(*schema).empty());
    Migrations{{k_first, k_second, k_third}}.apply(*schema);
    CHECK(code_of(Migrations{{k_first, k_second}}, schema, what) == errc::conflict); // 0003 says: from 3 on
    CHECK_THAT(what, Contains("0003_main_c") && Contains("newer portcullis") && Contains("install"));
}

TEST_CASE("postgres migrations: a database of other migrations, or of another encoding, is refused",
          "[adapters][postgres]")
{
    Schema schema{PostgresServer::shared().new_database()};
    Migrations{{k_first}}.apply(*schema);
    const Migration changed{"0001_main_a", k_first.sql + " "};
    std::string what;
    CHECK(code_of(Migrations{{changed}}, schema, what) == errc::conflict);
    CHECK_THAT(what, Contains("another build"));

    Schema latin{PostgresServer::shared().new_database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")};
    CHECK(code_of(Migrations{{k_first}}, latin, what) == errc::invalid);
    CHECK_THAT(what, Contains("LATIN1") && Contains("UTF8"));
}

TEST_CASE("postgres migrations: gaps, and a missing or impossible min_release, are bugs",
          "[adapters][postgres]")
{
    CHECK_THROWS_AS((Migrations{{k_second}}), std::invalid_argument);
    CHECK_THROWS_AS((Migrations{{Migration{"0001_main_a", "CREATE TABLE a (x integer)"}}}),
                    std::invalid_argument);
    CHECK_THROWS_AS((Migrations{{Migration{"0001_main_a", "-- min_release: 2\n"}}}), std::invalid_argument);
    CHECK_FALSE(Migrations::embedded().plan(*Schema{PostgresServer::shared().new_database()}).empty());
}

TEST_CASE("postgres migrations: two processes and many threads at once migrate once", "[adapters][postgres]")
{
    const Secret url = PostgresServer::shared().new_database();
    const pid_t other = ::fork();
    if (other == 0) {
        bool done = false;
        try {
            postgres::Database::migrate(postgres_options(url));
            done = true;
        } catch (...) {
        }
        ::_exit(done ? 0 : 1);
    }
    std::atomic<std::size_t> applied{0}, failed{0};
    in_parallel(4, [&](int) {
        try {
            applied += postgres::Database::migrate(postgres_options(url)).size();
        } catch (...) {
            ++failed;
        }
    });
    int status = 1;
    ::waitpid(other, &status, 0);
    CHECK(status == 0);
    CHECK(failed == 0);
    Schema schema{url};
    CHECK(schema->query("SELECT count(*) FROM portcullis.schema_migrations")[0].unsigned_integer(0) >=
          applied);
    CHECK(Migrations::embedded().plan(*schema).empty());
}

TEST_CASE("postgres: a database that has not been migrated is refused, naming the command",
          "[adapters][postgres]")
{
    const Secret url = PostgresServer::shared().new_database();
    CHECK_THROWS_WITH(postgres::Database{postgres_options(url)}, Contains("portcullis migrate"));
    CHECK(PostgresServer::shared().sql(url, "SELECT to_regnamespace('portcullis')") == "");
}

TEST_CASE("postgres: what cannot be connected to is named without the password", "[adapters][postgres]")
{
    for (const char* url : {"postgresql://u:hunter2@127.0.0.1:1/x", "postgresql://u:hunter2@[::1/x",
                            "postgresql://u:hunter2@h/x?nonsense=hunter2"}) {
        const Secret secret{std::string{url}};
        INFO(url);
        CHECK_THROWS_WITH(postgres::Database::plan(postgres_options(secret)), !Contains("hunter2"));
    }
}
