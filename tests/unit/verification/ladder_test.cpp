#include "unit/verification/ladder_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;
using Ending = Verification::Outcome;

TEST_CASE("ladder: text of another shape or with a wrong checksum is malformed, without any look-up", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    std::string key = random_key();
    key.back() = key.back() == 'a' ? 'b' : 'a';
    const auto before = world.store_calls();
    CHECK(worker.from_memory(key) == Ending::malformed);
    CHECK(worker.from_memory("pc_live_short") == Ending::malformed);
    CHECK(run(worker.ladder.verify(key, Address{})).outcome == Ending::malformed);
    CHECK(world.store_calls() == before);
}

TEST_CASE("ladder: the first use runs bcrypt once, later ones are answered from memory", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::ask);

    const Verification first = worker.check(issued.key.reveal());
    REQUIRE(first.outcome == Ending::verified);
    CHECK(first.version == 1);
    CHECK(first.principal->key.id == issued.record.id);
    CHECK(world.bcrypt_runs() == 1);

    const auto calls = world.store_calls();
    for (int i = 0; i < 10; ++i)
        CHECK(worker.from_memory(issued.key.reveal()) == Ending::verified);
    CHECK(world.store_calls() == calls);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: after a restart the shared digest spares bcrypt and the Vault", "[verification]")
{
    SharedWorld world;
    const IssuedKey issued = world.issue();
    {
        TestWorker before{world};
        REQUIRE(before.outcome(issued.key.reveal()) == Ending::verified);
    }
    HashPool fresh_pool{1, 16, world.metrics}; // remembers nothing
    VerificationStores stores{world.keys, world.vault, world.digests, fresh_pool, world.failures, world.peppers,
                              world.foreign, world.redigests};
    WorkerMetrics metrics{0};
    Ladder after{LadderSettings{}, stores, metrics};
    world.vault.faults.fail_all();
    CHECK(run(after.verify(issued.key.reveal(), Address{})).outcome == Ending::verified);
    CHECK(world.bcrypt_runs() == 1);
    CHECK(metrics.digest_store_hits.value() == 1);
}

TEST_CASE("ladder: without an answer of the shared digests bcrypt decides", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    world.digests.faults.fail_all();
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: wrong secrets for a known key_id never reach bcrypt, nor the stores after the first", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    CHECK(worker.outcome(wrong_secret(issued.record.id)) == Ending::unknown);
    const auto calls = world.store_calls();
    for (int i = 0; i < 100; ++i)
        CHECK(worker.outcome(wrong_secret(issued.record.id)) == Ending::unknown);
    CHECK(world.store_calls() == calls);
    CHECK(world.bcrypt_runs() == 0);

    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified); // the owner is not locked out
    CHECK(world.bcrypt_runs() == 1);
    const auto warm = world.store_calls();
    CHECK(worker.from_memory(wrong_secret(issued.record.id)) == Ending::unknown);
    CHECK(world.store_calls() == warm);
}

TEST_CASE("ladder: random keys of one address end at the gate", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    int unknown = 0, refused = 0;
    for (int i = 0; i < 100; ++i) {
        const auto outcome = worker.outcome(random_key());
        unknown += outcome == Ending::unknown ? 1 : 0;
        refused += outcome == Ending::too_many_failures ? 1 : 0;
    }
    CHECK(unknown == 60);
    CHECK(refused == 40);
    CHECK(world.database.faults.calls("find") == 60);
    CHECK(world.bcrypt_runs() == 0);
    CHECK(worker.outcome(random_key(), "198.51.100.8") == Ending::unknown); // another address
}

TEST_CASE("ladder: a warm key is served behind an exhausted address, also after its TTL", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    for (int i = 0; i < 70; ++i)
        worker.check(random_key());
    REQUIRE(worker.outcome(random_key()) == Ending::too_many_failures);
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
    worker.pass(5min + 1s);
    for (int i = 0; i < 70; ++i)
        worker.check(random_key());
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
}

TEST_CASE("ladder: behind an exhausted address a shared digest speaks for a key this worker never saw", "[verification]")
{
    SharedWorld world;
    TestWorker one{world}, other{world};
    const IssuedKey warm = world.issue();
    const IssuedKey cold = world.issue();
    REQUIRE(one.outcome(warm.key.reveal()) == Ending::verified);
    for (int i = 0; i < 70; ++i)
        other.check(random_key());

    CHECK(other.outcome(warm.key.reveal()) == Ending::verified);
    CHECK(other.outcome(cold.key.reveal()) == Ending::too_many_failures);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: wrong secrets exhaust only their own address, not the key", "[verification]")
{
    SharedWorld world;
    const IssuedKey issued = world.issue();
    for (int i = 0; i < 10; ++i) // each on a worker that knows nothing yet
        TestWorker{world}.check(wrong_secret(issued.record.id), "203.0.113.9");
    TestWorker worker{world};
    CHECK(worker.outcome(wrong_secret(issued.record.id), "203.0.113.9") == Ending::too_many_failures);
    CHECK(worker.outcome(issued.key.reveal(), "198.51.100.7") == Ending::verified);
}

TEST_CASE("ladder: pending, management and missing keys are all unknown", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    CreateKey request = wanted_key();
    request.management = true;
    request.scopes = {"platform:keys"};
    const IssuedKey management = world.issue(request);
    const IssuedKey pending = world.issue();
    world.database.keys.at(pending.record.id).status = KeyStatus::pending;
    CHECK(worker.outcome(management.key.reveal()) == Ending::unknown);
    CHECK(worker.outcome(pending.key.reveal()) == Ending::unknown);
    CHECK(worker.outcome(random_key()) == Ending::unknown);
    CHECK(world.bcrypt_runs() == 0);
}

TEST_CASE("ladder: one for management keys verifies them and nothing else", "[verification]")
{
    SharedWorld world;
    LadderSettings settings;
    settings.management = true;
    TestWorker worker{world, settings};
    CreateKey request = wanted_key();
    request.management = true;
    request.scopes = {"platform:keys"};
    const IssuedKey management = world.issue(request);
    const IssuedKey plain = world.issue();
    CHECK(worker.outcome(management.key.reveal()) == Ending::verified);
    CHECK(worker.from_memory(management.key.reveal()) == Ending::verified);
    CHECK(worker.outcome(plain.key.reveal()) == Ending::unknown);
    CHECK(worker.outcome(wrong_secret(management.record.id)) == Ending::unknown);
    REQUIRE(run(world.service.revoke(management.record.id, std::nullopt, std::nullopt, operator_actor())));
    worker.catch_up();
    CHECK(worker.outcome(management.key.reveal()) == Ending::revoked);
}

TEST_CASE("ladder: an answer carries the epoch in which it is good", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    const Verification answer = worker.check(issued.key.reveal());
    REQUIRE(answer.outcome == Ending::verified);
    CHECK(answer.epoch == worker.ladder.epoch());
    REQUIRE(run(world.service.revoke(issued.record.id, std::nullopt, std::nullopt, operator_actor())));
    worker.catch_up();
    CHECK(answer.epoch != worker.ladder.epoch());
}

TEST_CASE("ladder: expired and disabled are said only to who has the secret", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    CreateKey request = wanted_key();
    request.expires_at = world.now + 1min;
    const IssuedKey expiring = world.issue(request);
    const IssuedKey disabled = world.issue();
    REQUIRE(run(world.service.disable(disabled.record.id, std::nullopt, operator_actor())));

    CHECK(worker.outcome(expiring.key.reveal()) == Ending::verified);
    worker.pass(1min); // no change is recorded when a key expires
    CHECK(worker.from_memory(expiring.key.reveal()) == Ending::expired);
    CHECK(worker.check(disabled.key.reveal()).outcome == Ending::disabled);
    CHECK(worker.check(disabled.key.reveal()).principal != nullptr);
    CHECK(worker.outcome(wrong_secret(disabled.record.id)) == Ending::unknown);
}

TEST_CASE("ladder: a key whose text names another environment is unknown", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    CreateKey request = wanted_key();
    const IssuedKey issued = world.issue(request);
    world.database.keys.at(issued.record.id).environment = Environment::test;
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unknown);
}

TEST_CASE("ladder: after a change the record is read again, and bcrypt is not run again", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    KeyChanges changes;
    changes.scopes = std::vector<std::string>{"orders:write"};
    REQUIRE(run(world.service.update(issued.record.id, std::nullopt, changes, std::nullopt, operator_actor())));
    worker.catch_up();

    CHECK(worker.from_memory(issued.key.reveal()) == Ending::ask);
    const Verification answer = worker.check(issued.key.reveal());
    REQUIRE(answer.outcome == Ending::verified);
    CHECK(answer.principal->key.scopes == std::vector<std::string>{"orders:write"});
    CHECK(world.bcrypt_runs() == 1);
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::verified);
}

TEST_CASE("ladder: after the TTL one read of the record suffices", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    const auto vault_calls = world.vault.faults.all_calls();
    const auto finds = world.database.faults.calls("find");
    worker.pass(5min + 1s);
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::ask);
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::verified);
    CHECK(world.database.faults.calls("find") == finds + 1);
    CHECK(world.vault.faults.all_calls() == vault_calls);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: a revoked key is refused, and then without any look-up", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    REQUIRE(run(world.service.revoke(issued.record.id, std::nullopt, std::nullopt, operator_actor())));
    worker.catch_up();
    CHECK(worker.outcome(issued.key.reveal()) == Ending::revoked);
    const auto calls = world.store_calls();
    worker.pass(1h);
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::revoked);
    CHECK(world.store_calls() == calls);
}

TEST_CASE("ladder: a restored database cannot bring back a key whose Vault entry is destroyed", "[verification]")
{
    SharedWorld world;
    const IssuedKey issued = world.issue();
    const auto copy = world.database.keys;
    REQUIRE(run(world.service.revoke(issued.record.id, std::nullopt, std::nullopt, operator_actor())));
    world.database.keys = copy;
    TestWorker worker{world};
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unknown);
}

TEST_CASE("ladder: suspending a tenant stops its keys, resuming brings them back", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    REQUIRE(run(world.tenants.set_suspended(tenant_id("acme"), true, AuditEntry{})));
    worker.catch_up();
    CHECK(worker.outcome(issued.key.reveal()) == Ending::disabled);
    REQUIRE(run(world.tenants.set_suspended(tenant_id("acme"), false, AuditEntry{})));
    worker.catch_up();
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: both versions work until the overlap ends, by the clock alone", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey first = world.issue();
    REQUIRE(worker.outcome(first.key.reveal()) == Ending::verified);
    const auto second = run(world.service.regenerate(first.record.id, std::nullopt, 60s, operator_actor()));
    REQUIRE(second);
    worker.catch_up();
    CHECK(worker.check(first.key.reveal()).version == 1);
    CHECK(worker.check(second->key.reveal()).version == 2);
    CHECK(worker.from_memory(wrong_secret(first.record.id)) == Ending::unknown);

    worker.pass(60s);
    CHECK(worker.outcome(first.key.reveal()) == Ending::revoked);
    CHECK(worker.outcome(second->key.reveal()) == Ending::verified);
    CHECK(worker.from_memory(wrong_secret(first.record.id)) == Ending::unknown);
}

TEST_CASE("ladder: a digest copied from another key authenticates nobody", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey mine = world.issue();
    const IssuedKey theirs = world.issue();
    REQUIRE(worker.outcome(mine.key.reveal()) == Ending::verified);
    REQUIRE(key_text(mine.record.id, parse_api_key(mine.key.reveal(), "pc")->secret) == mine.key.reveal());

    world.digests.forge(theirs.record.id, *world.digests.stored(mine.record.id));
    const std::string forged = key_text(theirs.record.id, parse_api_key(mine.key.reveal(), "pc")->secret);
    CHECK(worker.outcome(forged) == Ending::unknown);
    CHECK(worker.outcome(mine.key.reveal()) == Ending::verified);
}

TEST_CASE("ladder: a digest for another version of the same key authenticates nobody", "[verification]")
{
    SharedWorld world;
    const IssuedKey first = world.issue();
    REQUIRE(TestWorker{world}.outcome(first.key.reveal()) == Ending::verified);
    REQUIRE(run(world.service.regenerate(first.record.id, std::nullopt, 0s, operator_actor())));
    VerifiedDigests forged = *world.digests.stored(first.record.id);
    forged.versions.at(0).number = 2;
    world.digests.forge(first.record.id, forged);
    TestWorker worker{world};
    CHECK(worker.outcome(first.key.reveal()) == Ending::unknown);
}

TEST_CASE("ladder: the cache is bounded, and evicted keys cost no bcrypt", "[verification]")
{
    LadderSettings settings;
    settings.cache_entries = 4;
    SharedWorld world;
    TestWorker worker{world, settings};
    std::vector<IssuedKey> issued;
    for (int i = 0; i < 10; ++i) {
        issued.push_back(world.issue());
        CHECK(worker.outcome(issued.back().key.reveal()) == Ending::verified);
    }
    CHECK(worker.ladder.cached_entries() == 4);
    CHECK(worker.outcome(issued.front().key.reveal()) == Ending::verified);
    CHECK(world.bcrypt_runs() == 10);
}
