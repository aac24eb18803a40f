// The ladder when a store, the Vault or the change feed does not answer, or answers nonsense.
#include "unit/verification/ladder_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;
using Ending = Verification::Outcome;

TEST_CASE("ladder: stores out of reach are unavailable, never unknown", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    SECTION("the key store")
    {
        world.database.faults.fail_all();
        CHECK(worker.outcome(issued.key.reveal()) == Ending::unavailable);
    }
    SECTION("the Vault")
    {
        world.vault.faults.fail_all();
        CHECK(worker.outcome(issued.key.reveal()) == Ending::unavailable);
    }
    CHECK(world.failures.entries(world.mono) == 0); // and nobody's failure
    world.database.faults.heal();
    world.vault.faults.heal();
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
}

TEST_CASE("ladder: a Vault entry that does not decode is unavailable", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    const Secret garbage{std::string{"{}"}};
    REQUIRE(run(world.vault.write(vault_path(issued.record.tenant, issued.record.id), garbage, 1)));
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unavailable);
}

TEST_CASE("ladder: a hash that contradicts its digest is unknown: bcrypt is the authority", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    const std::string path = vault_path(issued.record.tenant, issued.record.id);
    const auto entry = run(world.vault.read(path));
    auto secrets = VaultRecord::from_json((*entry)->data);
    REQUIRE(secrets);
    secrets->versions[0].hash = hash_api_key("another", 4);
    const Secret text = secrets->to_json();
    REQUIRE(run(world.vault.write(path, text, 1)));
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unknown);
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unknown);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: secrets hashed under a pepper that is gone are still verified by bcrypt", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    const std::string path = vault_path(issued.record.tenant, issued.record.id);
    const auto entry = run(world.vault.read(path));
    auto secrets = VaultRecord::from_json((*entry)->data);
    REQUIRE(secrets);
    secrets->versions[0].pepper_id = "gone0000";
    const Secret text = secrets->to_json();
    REQUIRE(run(world.vault.write(path, text, 1)));
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
}

TEST_CASE("ladder: while the feed is silent cached keys work for as long as configured", "[verification]")
{
    LadderSettings settings;
    settings.cache_ttl = 5min;
    settings.stale_while_unavailable = 10min;
    SharedWorld world;
    TestWorker worker{world, settings};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);

    world.database.faults.fail_all(); // records and changes alike: time passes without a poll
    world.mono += 4min;
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::verified);
    world.mono += 4min; // past the TTL: asked once, then left alone for a second
    const auto finds = world.database.faults.calls("find");
    for (int i = 0; i < 5; ++i)
        CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(world.database.faults.calls("find") == finds + 1);
    CHECK(worker.outcome(wrong_secret(issued.record.id)) == Ending::unknown);
    world.mono += 3min + 2s;
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unavailable);

    world.database.faults.heal();
    worker.catch_up();
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
}

TEST_CASE("ladder: stale_while_unavailable 0 ends cached keys with the feed", "[verification]")
{
    LadderSettings settings;
    settings.stale_while_unavailable = 0s;
    SharedWorld world;
    TestWorker worker{world, settings};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::verified);
    world.database.faults.fail_all();
    world.mono += 1s + 1ms;
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unavailable);
}

TEST_CASE("ladder: a voided key is not served from memory while the store is out of reach", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    REQUIRE(run(world.service.revoke(issued.record.id, std::nullopt, std::nullopt, operator_actor())));
    worker.catch_up();
    world.database.faults.fail_all();
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unavailable);
}
