#include "request/open_exchanges.hpp"

#include "domain/principal.hpp"
#include "request/exchange_review.hpp"
#include "support/fakes/key_store.hpp"
#include "support/run_awaitable.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace gw;
using namespace std::chrono_literals;

namespace {

const WallTime k_now = *parse_rfc3339("2026-11-22T08:00:00Z");
const MonoTime k_mono{1h};

KeyRecord live_key(char letter, const std::string& tenant = "acme")
{
    KeyRecord record;
    record.id = *KeyId::parse(std::string(16, letter));
    record.tenant = *TenantId::parse(tenant);
    record.status = KeyStatus::active;
    record.record_version = 1;
    KeyVersion version;
    version.number = 1;
    version.status = VersionStatus::live;
    record.versions = {version};
    return record;
}

// A request that a key has begun.
struct Begun {
    Begun(asio::io_context& context, DeadlineList& deadlines, OpenExchanges& open, const KeyRecord& key)
        : client(Socket{context}, deadlines), entry(x, client)
    {
        x.caller.principal = std::make_shared<const Principal>(key);
        x.caller.version = 1;
        entry.enter(open);
    }
    Exchange x;
    Stream client;
    OpenExchanges::Entry entry;
};

struct ExchangeWorld {
    asio::io_context context{1};
    DeadlineList deadlines;
    WorkerMetrics metrics{0};
    OpenExchanges open{metrics};
    std::uint64_t sequence = 0;

    std::unique_ptr<Begun> begin(const KeyRecord& key)
    {
        return std::make_unique<Begun>(context, deadlines, open, key);
    }
    bool change(const KeyRecord& key, MonoTime now = k_mono)
    {
        Change change;
        change.sequence = ++sequence;
        change.id = key.id.str();
        change.record_version = key.record_version;
        return open.apply(change, now);
    }
    bool change_tenant(const std::string& id)
    {
        Change change;
        change.sequence = ++sequence;
        change.subject = Change::Subject::tenant;
        change.id = id;
        return open.apply(change, k_mono);
    }
    void settle(const KeyRecord& record)
    {
        const auto doubt = open.any_doubt();
        REQUIRE(doubt);
        REQUIRE(doubt->key == record.id);
        open.settle(*doubt, &record, k_now);
    }
};

} // namespace

TEST_CASE("open_exchanges: what its key's record forbids is cut, and its pending operations cancelled",
          "[request]")
{
    ExchangeWorld world;
    KeyRecord key = live_key('a');
    const auto begun = world.begin(key);
    const auto other = world.begin(live_key('b'));
    key.record_version = 2;
    Refusal expected = Refusal::none;
    SECTION("revoked")
    {
        key.status = KeyStatus::revoked;
        expected = Refusal::invalid_key;
    }
    SECTION("disabled")
    {
        key.status = KeyStatus::disabled;
        expected = Refusal::key_disabled;
    }
    SECTION("expired")
    {
        key.expires_at = k_now;
        expected = Refusal::key_expired;
    }
    SECTION("its tenant suspended")
    {
        key.tenant_suspended = true;
        expected = Refusal::key_disabled;
    }
    SECTION("its version over")
    {
        key.versions[0].status = VersionStatus::ended;
        expected = Refusal::invalid_key;
    }
    SECTION("a change of no consequence")
    {
        key.name = "another";
    }
    SECTION("narrower scopes count from the next request on")
    {
        key.scopes = {};
    }
    REQUIRE(world.change(key));
    CHECK(begun->x.cut == Refusal::none); // not unheard
    const unsigned cancels = begun->client.cancels();
    world.settle(key);
    CHECK(begun->x.cut == expected);
    CHECK(begun->client.cancels() == cancels + (expected == Refusal::none ? 0 : 1));
    CHECK(other->x.cut == Refusal::none);
    CHECK(other->client.cancels() == 0);
    CHECK_FALSE(world.open.any_doubt());
    CHECK(world.metrics.exchanges_cut.value() == (expected == Refusal::none ? 0 : 1));
}

TEST_CASE("open_exchanges: a key that is gone is cut", "[request]")
{
    ExchangeWorld world;
    KeyRecord key = live_key('a');
    const auto begun = world.begin(key);
    key.record_version = 2;
    REQUIRE(world.change(key));
    world.open.settle(*world.open.any_doubt(), nullptr, k_now);
    CHECK(begun->x.cut == Refusal::invalid_key);
}

TEST_CASE("open_exchanges: all of a key are cut, none of another, and none that has ended", "[request]")
{
    ExchangeWorld world;
    KeyRecord key = live_key('a');
    std::vector<std::unique_ptr<Begun>> of_key, of_others;
    for (int i = 0; i < 50; ++i) {
        of_key.push_back(world.begin(key));
        of_others.push_back(world.begin(live_key(static_cast<char>('A' + i % 26))));
    }
    of_key[7]->entry.leave();
    of_key[49]->entry.leave();
    of_key.erase(of_key.begin());
    CHECK(world.open.size() == 97);
    key.record_version = 2;
    key.status = KeyStatus::revoked;
    REQUIRE(world.change(key));
    world.settle(key);
    CHECK(world.metrics.exchanges_cut.value() == 47);
    CHECK(std::count_if(of_key.begin(), of_key.end(), [](auto& b) { return b->x.cut != Refusal::none; }) ==
          47);
    CHECK(std::all_of(of_others.begin(), of_others.end(), [](auto& b) { return b->x.cut == Refusal::none; }));
    of_key.clear();
    of_others.clear();
    CHECK(world.open.size() == 0);
}

TEST_CASE("open_exchanges: a tenant's change doubts all of its keys", "[request]")
{
    ExchangeWorld world;
    KeyRecord a = live_key('a'), b = live_key('b');
    const auto begun_a = world.begin(a), begun_b = world.begin(b);
    const auto foreign = world.begin(live_key('c', "globex"));
    CHECK_FALSE(world.change_tenant("initech"));
    REQUIRE(world.change_tenant("acme"));
    a.tenant_suspended = b.tenant_suspended = true;
    for (int i = 0; i < 2; ++i)
        world.settle(world.open.any_doubt()->key == a.id ? a : b);
    CHECK(begun_a->x.cut == Refusal::key_disabled);
    CHECK(begun_b->x.cut == Refusal::key_disabled);
    CHECK(foreign->x.cut == Refusal::none);
}

TEST_CASE("open_exchanges: what began with the changed record is not doubted", "[request]")
{
    ExchangeWorld world;
    KeyRecord key = live_key('a');
    key.record_version = 5;
    const auto begun = world.begin(key);
    CHECK_FALSE(world.change(key));
    CHECK_FALSE(world.open.any_doubt());
}

TEST_CASE("open_exchanges: a reading that began before another change does not clear that one's doubt",
          "[request]")
{
    ExchangeWorld world;
    KeyRecord key = live_key('a');
    const auto begun = world.begin(key);
    key.record_version = 2;
    REQUIRE(world.change(key));
    const auto doubt = world.open.any_doubt();
    const KeyRecord read = key;
    key.record_version = 3;
    key.status = KeyStatus::revoked;
    world.change(key);
    world.open.settle(*doubt, &read, k_now);
    CHECK(begun->x.cut == Refusal::none);
    world.settle(key);
    CHECK(begun->x.cut == Refusal::invalid_key);
}

TEST_CASE("open_exchanges: what stays in doubt is cut within five seconds, unheard", "[request]")
{
    ExchangeWorld world;
    KeyRecord key = live_key('a');
    const auto begun = world.begin(key);
    key.record_version = 2;
    REQUIRE(world.change(key));
    world.open.sweep(k_mono + 3900ms, k_now);
    CHECK(begun->x.cut == Refusal::none);
    key.record_version = 3;
    world.change(key, k_mono + 3900ms); // further changes do not win it time
    world.open.sweep(k_mono + 4s, k_now);
    CHECK(begun->x.cut == Refusal::store_unavailable);
    CHECK_FALSE(world.open.any_doubt());
}

TEST_CASE("open_exchanges: a key that expires, or a version whose overlap ends, is cut then", "[request]")
{
    ExchangeWorld world;
    KeyRecord expiring = live_key('a'), rotated = live_key('b'), lasting = live_key('c');
    expiring.expires_at = k_now + 10s;
    rotated.versions[0].ends_at = k_now + 20s;
    const auto first = world.begin(expiring), second = world.begin(rotated), third = world.begin(lasting);
    world.open.sweep(k_mono, k_now + 9s);
    CHECK(first->x.cut == Refusal::none);
    world.open.sweep(k_mono, k_now + 10s);
    CHECK(first->x.cut == Refusal::key_expired);
    CHECK(second->x.cut == Refusal::none);
    // An expiry that is set, or set nearer, meanwhile.
    lasting.record_version = 2;
    lasting.expires_at = k_now + 15s;
    REQUIRE(world.change(lasting));
    world.settle(lasting);
    world.open.sweep(k_mono, k_now + 15s);
    CHECK(third->x.cut == Refusal::key_expired);
    CHECK(second->x.cut == Refusal::none);
    world.open.sweep(k_mono, k_now + 20s);
    CHECK(second->x.cut == Refusal::invalid_key);
    CHECK(world.metrics.exchanges_cut.value() == 3);
}

TEST_CASE("open_exchanges: a request without a key is nobody's", "[request]")
{
    ExchangeWorld world;
    Exchange x;
    Stream client{Socket{world.context}, world.deadlines};
    OpenExchanges::Entry entry{x, client};
    entry.enter(world.open);
    CHECK(world.open.size() == 0);
}

TEST_CASE("exchange_review: reads the doubted keys' records until there is no doubt", "[request]")
{
    ExchangeWorld world;
    FakeDatabase database;
    FakeKeyStore keys{database};
    KeyRecord revoked = live_key('a'), kept = live_key('b');
    const auto first = world.begin(revoked), second = world.begin(revoked), third = world.begin(kept);
    revoked.record_version = kept.record_version = 2;
    revoked.status = KeyStatus::revoked;
    database.keys[revoked.id] = revoked;
    database.keys[kept.id] = kept;
    REQUIRE(world.change(revoked));
    REQUIRE(world.change(kept));
    ExchangeReview review{world.open, keys, world.context.get_executor()};
    SECTION("at once") {}
    SECTION("as soon as the store answers")
    {
        database.faults.fail_all();
        review.begin();
        world.context.run_for(150ms);
        CHECK(first->x.cut == Refusal::none);
        database.faults.heal();
    }
    review.begin();
    review.begin();
    world.context.run_for(300ms);
    CHECK(first->x.cut == Refusal::invalid_key);
    CHECK(second->x.cut == Refusal::invalid_key);
    CHECK(third->x.cut == Refusal::none);
    CHECK(database.faults.calls("find") <= 4); // once a key, and once more while the store was down
    SECTION("and again the next time")
    {
        kept.record_version = 3;
        kept.status = KeyStatus::disabled;
        database.keys[kept.id] = kept;
        REQUIRE(world.change(kept));
        review.begin();
        world.context.restart();
        world.context.run_for(300ms);
        CHECK(third->x.cut == Refusal::key_disabled);
    }
}
