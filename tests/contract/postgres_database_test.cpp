// What the PostgreSQL stores do beyond the contracts: the order of the change sequence, partitions,
// housekeeping, text that cannot be stored, nodes and leases.
#include "adapters/postgres/maintenance.hpp"
#include "contract/fault_of.hpp"
#include "contract/key_store_contract.hpp"
#include "contract/postgres_stores.hpp"
#include "contract/usage_store_contract.hpp"

using namespace gw;
using namespace gw::contract;
using namespace std::chrono_literals;

namespace {

std::string first_of(PostgresStores& stores, const std::string& sql)
{
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    const auto text =
        stores.database().read(deadline, [&](postgres::Connection& connection) -> result<std::string> {
            const auto rows = connection.query(sql);
            return rows.empty() ? "" : std::string{rows[0].text(0)};
        });
    return text.value();
}

} // namespace

TEST_CASE("postgres change sequence: readers see no number before the one below it, with eight writers",
          "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    stores->add_tenant("acme");
    constexpr int k_writers = 8, k_readers = 2, k_each = 25;
    std::atomic<int> writing{k_writers}, gaps{0}, failed{0};
    in_parallel(k_writers + k_readers, [&](int i) {
        if (i < k_writers) {
            for (int n = 0; n < k_each; ++n)
                failed += fault_of(run(stores->keys().reserve(stores->pending_key(numbered_id(100 * i + n)))))
                              .failed();
            --writing;
            return;
        }
        std::uint64_t seen = 1; // the tenant's
        while (writing.load() > 0)
            for (const auto& change : run(stores->keys().changes_after(seen, 1'000)).value()) {
                gaps += change.sequence !=
                        seen + 1; // it is gapless: a number below that comes later would be one
                seen = change.sequence;
            }
    });
    CHECK(failed == 0);
    CHECK(gaps == 0);
    CHECK(run(stores->keys().last_change()).value() == 1 + k_writers * k_each);
}

TEST_CASE("postgres: text that is not UTF-8 or holds a NUL is invalid, and the connection goes on",
          "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    stores->add_tenant("acme");
    const std::string bad =
        GENERATE(std::string{"a\0b", 3}, std::string{"a\xff"}, std::string{"\xed\xa0\x80"});
    CHECK(fault_of(run(stores->keys().reserve(stores->pending_key(k_id, bad)))) == errc::invalid);
    AuditEntry entry = stores->why("x", "y");
    entry.user_agent = bad;
    CHECK(fault_of(run(stores->audit().append(entry))) == errc::invalid);
    CHECK_FALSE(run(stores->keys().find(key_id(k_id))).value().has_value());
    CHECK(stores->add_key(k_id).status == KeyStatus::active);
}

TEST_CASE("postgres audit log: entries cannot be changed, deleted or emptied", "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    stores->add_tenant("acme");
    const std::string sql =
        GENERATE("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit");
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    const auto done =
        stores->database().write(deadline, [&](postgres::Connection& connection) -> result<void> {
            connection.execute(sql);
            return {};
        });
    CHECK(fault_of(done) == errc::invalid);
    CHECK(run(stores->audit().list({})).value().size() == 1);
}

TEST_CASE("postgres usage: lies in a partition a day, made when needed and dropped whole",
          "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    const std::string partitions =
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'portcullis_usage.minutes'::regclass";
    const auto row = [&](WallTime at) { return usage_row(at, "acme", numbered_id(1), 1, "r", 1); };
    run(stores->usage().apply(usage_batch("n1", 1, {row(k_start), row(k_start - hours{24})}))).value();
    CHECK(first_of(*stores, partitions) == "2");

    postgres::Keep keep;
    keep.usage_minutes = hours{24};
    // Of yesterday the last minutes are still wanted.
    CHECK(run(postgres::maintain(stores->database(), k_start, keep)).value().usage_days == 0);
    CHECK(first_of(*stores, partitions) == "4"); // tomorrow and the day after are ready
    CHECK(run(postgres::maintain(stores->database(), k_start + hours{24}, keep)).value().usage_days == 1);
    CHECK(run(stores->usage().read({})).value() == std::vector{row(k_start)});
    // The day that is gone is made again for what comes late, though this process believes that it is there.
    const auto late = usage_batch("n1", 2, {row(k_start - hours{24})});
    while (fault_of(run(stores->usage().apply(late))).failed())
        CHECK(run(stores->usage().last_sequence("n1")).value() == 1);
    CHECK(run(stores->usage().read({})).value().size() == 2);
}

TEST_CASE("postgres usage: nodes that make one day at once, and count the same rows, all succeed",
          "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    std::atomic<int> failed{0};
    in_parallel(8, [&](int i) {
        std::vector<UsageRow> rows;
        for (int n = 0; n < 50; ++n) // each in another order
            rows.push_back(usage_row(k_start, "acme", numbered_id((n * (2 * i + 1)) % 50), 1, "r", 1));
        for (std::uint64_t sequence = 1; sequence <= 3; ++sequence)
            failed +=
                fault_of(run(stores->usage().apply(usage_batch("n" + std::to_string(i), sequence, rows))))
                    .failed();
    });
    CHECK(failed == 0);
    std::uint64_t requests = 0;
    for (const auto& row : run(stores->usage().read({})).value())
        requests += row.counts.requests;
    CHECK(requests == 8 * 3 * 50);
}

TEST_CASE("postgres maintenance: drops old changes but the newest, ended quotas and silent nodes",
          "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    stores->add_tenant("acme");
    for (int i = 0; i < 9; ++i)
        run(stores->keys().reserve(stores->pending_key(numbered_id(i)))).value();
    const QuotaWindow window{k_start, k_start + hours{1}};
    run(stores->quotas().debit(CounterId{{1, 2}, {3, 4}}, window, 10, 1)).value();
    NodeBeat beat;
    beat.node = "node-1";
    run(stores->nodes().beat(beat, 1s)).value();

    postgres::Keep keep;
    keep.newest_changes = 4;
    keep.silent_nodes = hours{0};
    auto done = run(postgres::maintain(stores->database(), k_start + hours{1}, keep)).value();
    CHECK(done.changes == 0); // not old enough
    CHECK(done.quota_windows == 0);
    CHECK(done.nodes == 1);
    done = run(postgres::maintain(stores->database(), k_start + hours{25}, keep)).value();
    CHECK(done.changes == 6);
    CHECK(done.quota_windows == 1);
    CHECK(run(stores->keys().last_change()).value() == 10);
    CHECK(run(stores->keys().changes_after(0, 100)).value().size() == 4);
}

TEST_CASE("postgres node registry: beats, positions that never move back, and leaving",
          "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    auto& nodes = stores->nodes();
    NodeBeat one;
    one.node = "node-b";
    one.serves_admin = false;
    one.release = "0.1.0";
    one.applied = 7;
    auto states = run(nodes.beat(one, 10s)).value();
    REQUIRE(states.size() == 1);
    CHECK(states[0].beat.serves_data);
    CHECK_FALSE(states[0].beat.serves_admin);
    CHECK(states[0].beat.release == "0.1.0");
    CHECK(states[0].beat.applied == 7);
    CHECK(states[0].silent_for < 5s);

    one.applied = 5;
    NodeBeat other;
    other.node = "node-a";
    run(nodes.beat(one, 10s)).value();
    states = run(nodes.beat(other, 10s)).value();
    REQUIRE(states.size() == 2);
    CHECK(states[0].beat.node == "node-a");
    CHECK(states[1].beat.applied == 7);
    std::this_thread::sleep_for(30ms);
    CHECK(run(nodes.list(20ms)).value().empty());
    states = run(nodes.beat(one, 20ms)).value(); // itself, whatever the window
    REQUIRE(states.size() == 1);
    CHECK(states[0].seen_at > states[0].started_at);
    run(nodes.leave("node-b")).value();
    CHECK(run(nodes.leave("node-b")).has_value());
    CHECK(run(nodes.list(10s)).value().size() == 1);
}

TEST_CASE("postgres node registry: one node holds a lease, and its number grows with each holder",
          "[adapters][postgres]")
{
    const auto stores = PostgresStores::fresh();
    auto& nodes = stores->nodes();
    const auto first = run(nodes.hold_lease("sweep", "a", 10s)).value();
    REQUIRE(first);
    CHECK(run(nodes.hold_lease("sweep", "a", 10s)).value() == first);
    CHECK_FALSE(run(nodes.hold_lease("sweep", "b", 10s)).value());
    CHECK(run(nodes.hold_lease("other", "b", 10s)).value());
    run(nodes.release_lease("sweep", "b")).value(); // not its own
    CHECK_FALSE(run(nodes.hold_lease("sweep", "b", 10s)).value());
    run(nodes.release_lease("sweep", "a")).value();
    const auto second = run(nodes.hold_lease("sweep", "b", 20ms)).value();
    REQUIRE(second);
    CHECK(*second > *first);
    std::this_thread::sleep_for(30ms); // it ran out
    const auto third = run(nodes.hold_lease("sweep", "a", 10s)).value();
    REQUIRE(third);
    CHECK(*third > *second);

    run(nodes.release_lease("sweep", "a")).value();
    std::atomic<int> holders{0};
    in_parallel(8, [&](int i) {
        const auto held = run(nodes.hold_lease("sweep", "n" + std::to_string(i), 10s));
        holders += held.has_value() && held->has_value();
    });
    CHECK(holders == 1);
}
