#include "keys/key_service.hpp"

#include "support/fakes/key_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

key_result<KeyRecord> revoke(KeyWorld& world, const KeyId& id, std::optional<std::string> reason = std::nullopt)
{
    return run(world.service.revoke(id, std::nullopt, std::move(reason), operator_actor()));
}

} // namespace

TEST_CASE("revoke: ends the key, destroys its secrets at once and clears the outbox", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    VerifiedDigests digests;
    REQUIRE(run(world.digests.put(issued.record.id, digests)));

    const auto revoked = revoke(world, issued.record.id, "leaked");
    REQUIRE(revoked);
    CHECK(revoked->status == KeyStatus::revoked);
    CHECK(revoked->revoked_reason == "leaked");
    CHECK(world.vault.size() == 1); // the peppers
    CHECK_FALSE(world.digests.stored(issued.record.id));
    CHECK(world.database.outbox.empty());
    CHECK(world.database.audit.back().action == "key.revoke");
}

TEST_CASE("revoke: again changes and writes nothing", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    REQUIRE(revoke(world, issued.record.id));
    const auto entries = world.database.audit.size();
    CHECK(revoke(world, issued.record.id)->status == KeyStatus::revoked);
    CHECK(world.database.audit.size() == entries);
}

TEST_CASE("revoke: succeeds while the Vault is out of reach, and the sweep destroys later", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    world.vault.faults.fail_all();
    REQUIRE(revoke(world, issued.record.id));
    CHECK(world.database.outbox.size() == 1);
    CHECK(run(world.service.sweep(world.now)).error() == errc::unavailable);

    world.vault.faults.heal();
    CHECK(run(world.service.sweep(world.now))->destroyed == 1);
    CHECK(world.database.outbox.empty());
    CHECK(world.vault.size() == 1);
}

TEST_CASE("revoke: a crash at any point leaves the rest to the sweep", "[keys]")
{
    struct Crash {};
    const std::string point = GENERATE(as<std::string>{}, "revoke.committed", "revoke.vault_destroyed");
    KeyWorld world;
    const IssuedKey issued = world.issue();
    world.service.at_point = [point](std::string_view passed) {
        if (passed == point)
            throw Crash{};
    };
    CHECK_THROWS_AS(revoke(world, issued.record.id), Crash);
    CHECK(world.row(issued.record.id).status == KeyStatus::revoked);
    CHECK(run(world.service.sweep(world.now))->destroyed == 1);
    CHECK(world.vault.size() == 1);
}

TEST_CASE("revoke: a database out of reach is unavailable, and the key still works", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    world.database.faults.fail("revoke");
    CHECK(revoke(world, issued.record.id).error().kind == KeyProblem::Kind::unavailable);
    CHECK(world.vault.size() == 2);
}

TEST_CASE("revoke: nothing of a revoked key can be changed", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    REQUIRE(revoke(world, issued.record.id));
    CHECK(run(world.service.enable(issued.record.id, std::nullopt, operator_actor())).error().kind ==
          KeyProblem::Kind::conflict);
}

TEST_CASE("sweep: a version pending for an hour leaves row and Vault, and the key works on", "[keys]")
{
    struct Crash {};
    KeyWorld world;
    const IssuedKey issued = world.issue();
    world.service.at_point = [](std::string_view passed) {
        if (passed == "regenerate.vault_written")
            throw Crash{};
    };
    CHECK_THROWS_AS(run(world.service.regenerate(issued.record.id, std::nullopt, 0s, operator_actor())), Crash);
    world.service.at_point = nullptr;

    CHECK(run(world.service.sweep(world.now + 61min))->cleared == 1);
    CHECK(world.row(issued.record.id).versions.size() == 1);
    const auto entry = run(world.vault.read(vault_path(issued.record.tenant, issued.record.id)));
    const auto secrets = VaultRecord::from_json((*entry)->data);
    REQUIRE(secrets);
    CHECK(secrets->versions.size() == 1);
    CHECK(secrets->find(1));
}

TEST_CASE("sweep: more than one batch is cleared", "[keys]")
{
    KeyWorld world;
    for (int i = 0; i < 120; ++i) {
        KeyRecord pending;
        pending.id = generate_api_key("pc", Environment::live).id;
        pending.tenant = tenant_id("acme");
        pending.versions.emplace_back();
        pending.versions[0].number = 1;
        pending.versions[0].created_at = world.now;
        REQUIRE(run(world.keys.reserve(pending)));
    }
    CHECK(run(world.service.sweep(world.now + 2h))->cleared == 120);
    CHECK(world.database.keys.empty());
}

TEST_CASE("sweep: ends between two items when it may not go on, and the next goes on from there", "[keys]")
{
    KeyWorld world;
    world.vault.faults.fail("destroy");
    for (int i = 0; i < 5; ++i)
        REQUIRE(revoke(world, world.issue().record.id));
    world.vault.faults.heal();
    int asked = 0;
    const auto twice = [&asked] { return ++asked <= 2; };
    CHECK(run(world.service.sweep(world.now, twice))->destroyed == 2);
    CHECK(run(world.service.sweep(world.now))->destroyed == 3);
}
