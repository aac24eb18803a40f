// The SQLite adapter below its stores: files and their rights, locks and deadlines, two processes on one
// database, housekeeping.
#include "adapters/sqlite/maintenance.hpp"
#include "adapters/sqlite/serve_lock.hpp"
#include "contract/sqlite_stores.hpp"
#include "contract/usage_store_contract.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace gw;
using namespace gw::contract;

namespace {

namespace fs = std::filesystem;

// What `call` throws, as text; the code into `code`.
template <class Call>
std::string sqlite_error(Call call, errc& code)
{
    try {
        call();
    } catch (const sqlite::SqliteError& error) {
        code = error.code();
        return error.what();
    }
    return "nothing was thrown";
}

} // namespace

TEST_CASE("sqlite database: its files, in a folder that it creates, are for their owner only", "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "data" / "portcullis.db";
    SqliteStores stores{file};
    stores.add_tenant("acme");
    run(stores.usage().apply(usage_batch("n1", 1, {usage_row(k_start, "acme", "", 0, "r", 1)}))).value();

    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{file.parent_path()}) {
        names.push_back(entry.path().filename());
        CHECK((entry.status().permissions() & fs::perms::mask) ==
              (fs::perms::owner_read | fs::perms::owner_write));
    }
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"portcullis-usage.db", "portcullis-usage.db-shm",
                                            "portcullis-usage.db-wal", "portcullis.db", "portcullis.db-shm",
                                            "portcullis.db-wal"});
    CHECK((fs::status(file.parent_path()).permissions() & fs::perms::mask) == fs::perms::owner_all);
}

TEST_CASE("sqlite database: what was committed is there after opening again", "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "portcullis.db";
    std::optional<KeyRecord> before;
    {
        SqliteStores stores{file};
        stores.add_tenant("acme");
        before = stores.add_key(numbered_id(1));
    }
    SqliteStores stores{file};
    CHECK(run(stores.keys().find(key_id(numbered_id(1)))).value() == before);
}

TEST_CASE("sqlite database: a second one on the same file sees changes at once and may change, too",
          "[adapters]")
{
    const TemporaryFolder folder;
    SqliteStores serving{folder.path() / "portcullis.db"};
    serving.add_tenant("acme");
    serving.add_key(numbered_id(1));
    const auto seen = run(serving.keys().last_change()).value();
    {
        SqliteStores command_line{folder.path() / "portcullis.db"};
        const auto why = command_line.why("key.revoke", numbered_id(1));
        run(command_line.keys().revoke(key_id(numbered_id(1)), std::nullopt, why)).value();
    }
    const auto changes = run(serving.keys().changes_after(seen, 10)).value();
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].id == numbered_id(1));
    CHECK(run(serving.keys().find(key_id(numbered_id(1)))).value()->status == KeyStatus::revoked);
}

TEST_CASE("sqlite database: two at once debit a quota no further than it goes", "[adapters]")
{
    const TemporaryFolder folder;
    SqliteStores first{folder.path() / "portcullis.db"}, second{folder.path() / "portcullis.db"};
    const CounterId counter{{1, 2}, {3, 4}};
    const QuotaWindow window{k_start, k_start + hours{24}};
    std::atomic<std::uint64_t> granted{0};
    in_parallel(4, [&](int i) {
        for (int n = 0; n < 10; ++n)
            granted += run((i & 1 ? first : second).quotas().debit(counter, window, 200, 6)).value().granted;
    });
    CHECK(granted == 200);
}

TEST_CASE("sqlite database: reads go on while another process writes; writes end at the deadline",
          "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "portcullis.db";
    sqlite::Database::Options impatient;
    impatient.deadline = std::chrono::milliseconds{100};
    SqliteStores stores{file, impatient};
    stores.add_tenant("acme");
    stores.add_key(numbered_id(1));

    sqlite::Connection other{file, sqlite::Connection::Durability::full};
    std::optional<sqlite::Transaction> writing;
    writing.emplace(other, sqlite::Transaction::Kind::immediate);
    other.execute("UPDATE tenants SET name = 'half done'");
    CHECK(run(stores.keys().find(key_id(numbered_id(1)))).has_value());
    CHECK(run(stores.tenants().find(TenantId::parse("acme").value())).value()->name == "Tenant acme");
    const auto why = stores.why("key.revoke", numbered_id(1));
    CHECK(run(stores.keys().revoke(key_id(numbered_id(1)), std::nullopt, why)).error() == errc::unavailable);

    writing.reset(); // rolled back
    CHECK(run(stores.keys().revoke(key_id(numbered_id(1)), std::nullopt, why)).has_value());
    CHECK(run(stores.tenants().find(TenantId::parse("acme").value())).value()->name == "Tenant acme");
}

TEST_CASE("sqlite database: a file that is not a database is corrupt, one without rights unavailable",
          "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "portcullis.db";
    errc code{};
    std::ofstream{file} << std::string(8'192, 'x');
    CHECK_THAT(sqlite_error([&] { sqlite::Database{file}; }, code), Catch::Contains("not a database"));
    CHECK(code == errc::corrupt);
    const std::string what = sqlite_error([] { sqlite::Database{"/proc/portcullis/portcullis.db"}; }, code);
    CHECK_THAT(what, Catch::Contains("/proc/portcullis/portcullis.db"));
    CHECK(code == errc::unavailable);
}

TEST_CASE("sqlite database: a row that does not decode is corrupt, and the next key is found", "[adapters]")
{
    const TemporaryFolder folder;
    SqliteStores stores{folder.path() / "portcullis.db"};
    stores.add_tenant("acme");
    stores.add_key(numbered_id(1));
    stores.add_key(numbered_id(2));
    const char* const damage =
        GENERATE("limits = '[{}]'", "scopes = 'orders:read'", "allowed_ips = '[\"10.0.0.0/99\"]'",
                 "owner_id = ''", "tenant = 'NOT VALID'");
    const std::string sql = std::string{"PRAGMA foreign_keys = OFF; UPDATE keys SET "} + damage +
                            " WHERE key_id = '" + numbered_id(1) + "'";
    sqlite::Connection{folder.path() / "portcullis.db", sqlite::Connection::Durability::full}.execute(
        sql.c_str());
    CHECK(run(stores.keys().find(key_id(numbered_id(1)))).error() == errc::corrupt);
    CHECK(run(stores.keys().find(key_id(numbered_id(2)))).value().has_value());
}

TEST_CASE("sqlite database: keys are found without the usage file", "[adapters]")
{
    const TemporaryFolder folder;
    SqliteStores stores{folder.path() / "portcullis.db"};
    stores.add_tenant("acme");
    stores.add_key(numbered_id(1));
    sqlite::Connection{folder.path() / "portcullis-usage.db", sqlite::Connection::Durability::full}.execute(
        "DROP TABLE last_uses");
    CHECK(run(stores.keys().find(key_id(numbered_id(1)))).value().has_value());
}

TEST_CASE("sqlite audit log: no statement changes or deletes an entry", "[adapters]")
{
    const TemporaryFolder folder;
    SqliteStores stores{folder.path() / "portcullis.db"};
    stores.add_tenant("acme");
    sqlite::Connection other{folder.path() / "portcullis.db", sqlite::Connection::Durability::full};
    CHECK_THROWS_WITH(other.execute("UPDATE audit SET actor = 'somebody'"), Catch::Contains("append only"));
    CHECK_THROWS_WITH(other.execute("DELETE FROM audit"), Catch::Contains("append only"));
    CHECK(run(stores.audit().list({})).value().size() == 1);
}

TEST_CASE("sqlite serve lock: a second one is busy and names the process; it ends with its owner",
          "[adapters]")
{
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "portcullis.db";
    errc code{};
    {
        const sqlite::ServeLock lock{file};
        const std::string what = sqlite_error([&] { sqlite::ServeLock{file}; }, code);
        CHECK(code == errc::busy);
        CHECK_THAT(what, Catch::Contains("process " + std::to_string(::getpid()) + ")"));
        CHECK_THAT(what, Catch::Contains(file.string()));
    }
    CHECK_NOTHROW(sqlite::ServeLock{file});

    // Killed while holding it.
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            const sqlite::ServeLock lock{file};
            (void)!::write(ready[1], "x", 1);
            ::pause();
        } catch (...) {
        }
        ::_exit(1);
    }
    ::close(ready[1]);
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    const std::string what = sqlite_error([&] { sqlite::ServeLock{file}; }, code);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    CHECK_THAT(what, Catch::Contains("process " + std::to_string(child)));
    CHECK_NOTHROW(sqlite::ServeLock{file});
}

TEST_CASE("sqlite maintain: drops what has expired and nothing else", "[adapters]")
{
    const TemporaryFolder folder;
    SqliteStores stores{folder.path() / "portcullis.db"};
    stores.add_tenant("acme");
    for (int i = 0; i < 4; ++i)
        stores.add_key(numbered_id(i)); // 9 changes, all of them now
    const CounterId counter{{1, 2}, {3, 4}};
    run(stores.quotas().debit(counter, {k_start, k_start + hours{1}}, 10, 4)).value();
    run(stores.quotas().debit(counter, {k_start, k_start + hours{72}}, 10, 4)).value();
    run(stores.usage().apply(usage_batch("n1", 1,
                                         {usage_row(k_start, "acme", "", 0, "r", 1),
                                          usage_row(k_start + hours{24}, "acme", "", 0, "r", 1)})))
        .value();
    const auto last = run(stores.keys().last_change()).value();
    sqlite::Keep keep;
    keep.newest_changes = 3;
    const auto maintained = [&](minutes later) {
        return run(sqlite::maintain(stores.database(), stores.pool(), k_start + later, keep)).value();
    };

    SECTION("within the times, nothing")
    {
        const auto done = maintained(hours{2} - minutes{1});
        CHECK(done.changes == 0);
        CHECK(done.quota_windows == 0);
        CHECK(done.usage_minutes == 0);
    }
    SECTION("after 49 hours, old changes but the newest, the ended window and the old minute")
    {
        const auto done = maintained(hours{49});
        CHECK(done.changes == last - 3);
        CHECK(done.quota_windows == 1);
        CHECK(done.usage_minutes == 1);
        CHECK(run(stores.keys().changes_after(0, 100)).value().size() == 3);
        CHECK(run(stores.keys().last_change()).value() == last);
        CHECK(run(stores.usage().read({})).value().size() == 1);
        CHECK(run(stores.quotas().debit(counter, {k_start, k_start + hours{72}}, 10, 10)).value().granted ==
              6);
    }
    SECTION("old changes stay as long as they are among the newest")
    {
        keep.newest_changes = 100'000;
        CHECK(maintained(hours{49}).changes == 0);
    }
}
