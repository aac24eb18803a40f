// kill -9 at random moments: what was acknowledged is there afterwards, and nothing is half-written.
#include "contract/sqlite_stores.hpp"

#include <algorithm>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace gw;
using namespace gw::contract;

namespace {

// Creates keys for ever, and writes the number of each to `acknowledged` once it is active. Never returns.
[[noreturn]] void create_keys(const std::filesystem::path& file, int acknowledged, int first)
{
    SqliteStores stores{file};
    const CounterId counter{{1, 2}, {3, 4}};
    for (int i = first;; ++i) {
        stores.add_key(numbered_id(i));
        if (i % 3 == 0)
            run(stores.keys().revoke(key_id(numbered_id(i)), std::nullopt,
                                     stores.why("key.revoke", numbered_id(i))))
                .value();
        run(stores.quotas().debit(counter, {k_start, k_start + hours{1}}, 1'000'000, 1)).value();
        if (::write(acknowledged, &i, sizeof i) != sizeof i)
            ::_exit(1);
    }
}

// The last number that was acknowledged, or `first - 1`.
int kill_after(const std::filesystem::path& file, int first, int acknowledgements, int delay_us)
{
    int channel[2];
    if (::pipe(channel) != 0)
        throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(channel[0]);
        try {
            create_keys(file, channel[1], first);
        } catch (...) {
            ::_exit(1);
        }
    }
    ::close(channel[1]);
    int last = first - 1;
    for (int n = 0; n < acknowledgements && ::read(channel[0], &last, sizeof last) == sizeof last; ++n) {
    }
    ::usleep(static_cast<useconds_t>(delay_us)); // spreads the kills over the steps of a transaction
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(channel[0], &last, sizeof last) == sizeof last) {
    }
    ::close(channel[0]);
    return last;
}

} // namespace

TEST_CASE("sqlite: kill -9 at random loses no acknowledged change and leaves none by halves", "[adapters]")
{
    const TemporaryFolder folder;
    const std::filesystem::path file = folder.path() / "portcullis.db";
    {
        SqliteStores stores{file};
        stores.add_tenant("acme");
    }
    int next = 0;
    std::uint64_t debited = 0;
    for (int round = 0; round < 10; ++round) {
        const int last = kill_after(file, next, 1 + round % 3, round * 700);
        SqliteStores stores{file};
        AuditQuery everything;
        everything.limit = 100'000;
        const auto entries = run(stores.audit().list(everything)).value();
        const auto changes = run(stores.keys().changes_after(0, 100'000)).value();
        for (int i = next; i <= last + 1; ++i) {
            const auto found = run(stores.keys().find(key_id(numbered_id(i)))).value();
            if (i <= last) {
                REQUIRE(found);
                CHECK(found->status == (i % 3 == 0 ? KeyStatus::revoked : KeyStatus::active));
            }
            // Every version of the record has its change, and all but the reservation their audit entry.
            const auto versions = found ? found->record_version : 0;
            CHECK(std::count_if(changes.begin(), changes.end(), [&](const Change& change) {
                      return change.id == numbered_id(i);
                  }) == static_cast<std::ptrdiff_t>(versions));
            CHECK(std::count_if(entries.begin(), entries.end(), [&](const AuditEntry& entry) {
                      return entry.target == numbered_id(i);
                  }) == static_cast<std::ptrdiff_t>(versions == 0 ? 0 : versions - 1));
        }
        const CounterId counter{{1, 2}, {3, 4}};
        const QuotaWindow window{k_start, k_start + hours{1}};
        debited += static_cast<std::uint64_t>(last - next + 1);
        const auto used = run(stores.quotas().debit(counter, window, 1'000'000, 0)).value().used;
        CHECK(used >= debited);
        CHECK(used <= debited + 1); // the one in flight
        debited = used;
        next = last + 2; // the one in flight may exist
    }
    sqlite::Connection connection{file, sqlite::Connection::Durability::full};
    auto check = connection.prepare("PRAGMA integrity_check");
    REQUIRE(check.step());
    CHECK(check.text(0) == "ok");
}
