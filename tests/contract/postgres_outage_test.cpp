// The PostgreSQL stores while the server is stopped, killed, full or in the way: every call is answered by
// its deadline, and all is well again without anyone's doing.
#include "adapters/postgres/change_listener.hpp"
#include "contract/fault_of.hpp"
#include "contract/key_store_contract.hpp"
#include "contract/postgres_stores.hpp"

#include <boost/asio/post.hpp>

using namespace gw;
using namespace gw::contract;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto k_deadline = 500ms;
constexpr auto k_slack = 400ms; // of a busy machine; far below libpq's own time-outs

std::unique_ptr<PostgresStores> stores_on(PostgresServer& server, std::size_t connections = 4)
{
    const Secret url = server.new_database();
    postgres::Database::migrate(postgres_options(url));
    auto options = postgres_options(url);
    options.connections = connections;
    options.deadline = k_deadline;
    return std::make_unique<PostgresStores>(std::move(options));
}

struct Outcome {
    error_code fault;
    Clock::duration took{};
};

template <class Call>
Outcome timed(Call call)
{
    const auto since = Clock::now();
    const auto fault = fault_of(run(call()));
    return {fault, Clock::now() - since};
}

// Until `call` succeeds; how long that took, or Clock::duration::max() after ten seconds.
template <class Call>
Clock::duration until_it_works(Call call)
{
    const auto since = Clock::now();
    while (Clock::now() - since < 10s) {
        if (!fault_of(run(call())))
            return Clock::now() - since;
        std::this_thread::sleep_for(20ms);
    }
    return Clock::duration::max();
}

} // namespace

TEST_CASE("postgres: a server that is stopped with its connections open is unavailable by the deadline",
          "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server);
    stores->add_tenant("acme");
    stores->add_key(k_id);
    const KeyId id = key_id(k_id); // outlives the calls
    const AuditEntry why = stores->why("key.revoke", k_id);
    const auto find = [&] { return stores->keys().find(id); };
    REQUIRE_FALSE(timed(find).fault);

    server.pause();
    const auto first = timed(find);
    CHECK(first.fault == errc::unavailable);
    CHECK(first.took >= k_deadline * 3 / 4);
    CHECK(first.took < k_deadline + k_slack);
    // From here on nobody waits, but for one at a time who tries.
    int waited = 0;
    for (int i = 0; i < 50; ++i) {
        const auto next = timed(find);
        CHECK(next.fault == errc::unavailable);
        CHECK(next.took < k_deadline + k_slack);
        waited += next.took > 50ms;
    }
    CHECK(waited <= 2);

    server.resume();
    CHECK(until_it_works(find) < 4s);
    CHECK_FALSE(timed([&] { return stores->keys().revoke(id, std::nullopt, why); }).fault);
}

TEST_CASE("postgres: of many callers of a stopped server none waits longer than the deadline",
          "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server);
    const auto last = [&] { return stores->keys().last_change(); };
    REQUIRE_FALSE(timed(last).fault);
    server.pause();
    std::atomic<int> unavailable{0}, late{0};
    in_parallel(16, [&](int) {
        const auto outcome = timed(last);
        unavailable += outcome.fault == errc::unavailable;
        late += outcome.took > k_deadline + k_slack;
    });
    CHECK(unavailable == 16);
    CHECK(late == 0);
    server.resume();
    CHECK(until_it_works(last) < 4s);
}

TEST_CASE("postgres: a server that is gone is unavailable at once, and found again when it is back",
          "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server);
    const auto last = [&] { return stores->keys().last_change(); };
    REQUIRE_FALSE(timed(last).fault);
    server.kill();
    for (int i = 0; i < 20; ++i) {
        const auto outcome = timed(last);
        CHECK(outcome.fault == errc::unavailable);
        CHECK(outcome.took < 200ms);
    }
    server.start();
    CHECK(until_it_works(last) < 4s);
}

TEST_CASE("postgres: a restart between two calls is not noticed", "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server);
    REQUIRE_FALSE(timed([&] { return stores->keys().last_change(); }).fault);
    server.kill();
    server.start();
    stores->add_tenant("acme"); // throws if it failed
    CHECK(run(stores->keys().last_change()).value() == 1);
}

TEST_CASE("postgres: callers wait for a free connection, and are unavailable at their deadline",
          "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server, 1);
    auto& database = stores->database();
    std::atomic<bool> held{false}, release{false};
    std::thread holder{[&] {
        (void)database.read(Clock::now() + 5s, [&](postgres::Connection&) -> result<void> {
            held = true;
            while (!release)
                std::this_thread::sleep_for(1ms);
            return {};
        });
    }};
    while (!held)
        std::this_thread::sleep_for(1ms);
    const auto starved = timed([&] { return stores->keys().last_change(); });
    CHECK(starved.fault == errc::unavailable);
    CHECK(starved.took >= k_deadline);
    CHECK(starved.took < k_deadline + k_slack);

    std::thread later{[&] {
        std::this_thread::sleep_for(100ms);
        release = true;
    }};
    const auto served = timed([&] { return stores->keys().last_change(); });
    CHECK_FALSE(served.fault);
    CHECK(served.took >= 50ms);
    later.join();
    holder.join();
}

TEST_CASE("postgres: a server that has no more connections to give is used through those that are open",
          "[adapters][postgres]")
{
    PostgresServer server{{"max_connections=5", "superuser_reserved_connections=0", "max_wal_senders=0"}};
    const auto stores = stores_on(server, 16);
    std::atomic<int> failed{0};
    in_parallel(12, [&](int) {
        for (int i = 0; i < 5; ++i)
            failed += fault_of(run(stores->keys().last_change())).failed();
    });
    CHECK(failed == 0);
}

TEST_CASE("postgres: a call that others keep waiting ends by the server's own time, and takes nobody along",
          "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server);
    stores->add_tenant("acme");
    stores->add_key(k_id);
    const KeyId id = key_id(k_id); // outlives the calls
    const AuditEntry why = stores->why("key.revoke", k_id);
    auto& database = stores->database();
    std::atomic<bool> held{false}, release{false};
    std::thread holder{[&] {
        (void)database.write(Clock::now() + 5s, [&](postgres::Connection& connection) -> result<void> {
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0");
            connection.query("SELECT 1 FROM keys FOR UPDATE");
            held = true;
            while (!release)
                std::this_thread::sleep_for(1ms);
            return {};
        });
    }};
    while (!held)
        std::this_thread::sleep_for(1ms);
    const auto blocked = timed([&] { return stores->keys().revoke(id, std::nullopt, why); });
    CHECK(blocked.fault == errc::unavailable);
    CHECK(blocked.took < k_deadline + k_slack);
    const auto reading = timed([&] { return stores->keys().find(id); }); // not turned away
    CHECK_FALSE(reading.fault);
    release = true;
    holder.join();
    CHECK_FALSE(timed([&] { return stores->keys().revoke(id, std::nullopt, why); }).fault);
}

TEST_CASE("postgres listener: wakes within 100 ms of a commit, and listens again after a restart",
          "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server);
    std::atomic<int> woken{0};
    postgres::ChangeListener listener{stores->database().connect_options().clone(), [&] { ++woken; }};
    const auto woken_within = [&](Clock::duration patience, int before) {
        const auto since = Clock::now();
        while (woken.load() == before && Clock::now() - since < patience)
            std::this_thread::sleep_for(1ms);
        return woken.load() != before;
    };
    REQUIRE(woken_within(5s, 0)); // it has connected
    for (int i = 0; i < 5; ++i) {
        const int before = woken.load();
        stores->add_tenant("t-" + std::to_string(i));
        CHECK(woken_within(100ms, before));
    }
    const int quiet = woken.load();
    CHECK_FALSE(woken_within(200ms, quiet)); // nothing was committed

    server.kill();
    server.start();
    REQUIRE(woken_within(5s, quiet)); // something may have been missed
    const int before = woken.load();
    stores->add_tenant("acme");
    CHECK(woken_within(100ms, before));
}

TEST_CASE("postgres listener: ends while the server is stopped", "[adapters][postgres]")
{
    PostgresServer server;
    const auto stores = stores_on(server);
    std::atomic<int> woken{0};
    auto listener = std::make_unique<postgres::ChangeListener>(stores->database().connect_options().clone(),
                                                               [&] { ++woken; });
    for (int i = 0; i < 500 && woken.load() == 0; ++i)
        std::this_thread::sleep_for(10ms);
    REQUIRE(woken.load() == 1);
    server.pause();
    const auto since = Clock::now();
    listener.reset();
    CHECK(Clock::now() - since < 1s);
    server.resume();
}
