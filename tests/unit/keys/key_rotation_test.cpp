#include "keys/key_service.hpp"

#include "support/fakes/key_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

VaultRecord vault_record(KeyWorld& world, const KeyId& id)
{
    const auto entry = run(world.vault.read(vault_path(world.row(id).tenant, id)));
    return *VaultRecord::from_json((*entry)->data);
}

key_result<IssuedKey> regenerate(KeyWorld& world, const KeyId& id, std::chrono::seconds overlap)
{
    return run(world.service.regenerate(id, std::nullopt, overlap, operator_actor()));
}

} // namespace

TEST_CASE("regenerate: the key_id stays, both versions live until the overlap ends", "[keys]")
{
    KeyWorld world;
    const IssuedKey first = world.issue();
    const auto second = regenerate(world, first.record.id, 24h);
    REQUIRE(second);
    CHECK(second->record.id == first.record.id);
    CHECK(second->key.reveal() != first.key.reveal());
    const KeyRecord& record = second->record;
    CHECK(record.find_version(1)->is_live(world.now + 24h - 1ms));
    CHECK_FALSE(record.find_version(1)->is_live(world.now + 24h));
    CHECK(record.find_version(2)->is_live(world.now + 100h));
    CHECK(vault_record(world, first.record.id).versions.size() == 2);
}

TEST_CASE("regenerate: without an overlap the old version ends at once", "[keys]")
{
    KeyWorld world;
    const IssuedKey first = world.issue();
    const auto second = regenerate(world, first.record.id, 0s);
    REQUIRE(second);
    CHECK_FALSE(second->record.find_version(1)->is_live(world.now));
}

TEST_CASE("regenerate: a second one ends the first overlap, and ended versions leave the Vault", "[keys]")
{
    KeyWorld world;
    const IssuedKey first = world.issue();
    REQUIRE(regenerate(world, first.record.id, 24h));
    const auto third = regenerate(world, first.record.id, 24h);
    REQUIRE(third);
    CHECK_FALSE(third->record.find_version(1)->is_live(world.now));
    CHECK(third->record.find_version(2)->is_live(world.now));
    CHECK(third->record.find_version(3)->is_live(world.now));

    REQUIRE(regenerate(world, first.record.id, 24h));
    CHECK(vault_record(world, first.record.id).find(1) == nullptr);
}

TEST_CASE("regenerate: a negative or endless overlap is an invalid field", "[keys]")
{
    KeyWorld world;
    const IssuedKey first = world.issue();
    CHECK(regenerate(world, first.record.id, -1s).error().fields.at(0).pointer == "/overlap");
    CHECK(regenerate(world, first.record.id, std::chrono::hours{24 * 91}).error().fields.at(0).pointer == "/overlap");
}

TEST_CASE("regenerate: a revoked key, an expired key and an unknown key are refused", "[keys]")
{
    KeyWorld world;
    CreateKey request = wanted_key();
    request.expires_at = world.now + 1h;
    const IssuedKey expiring = world.issue(request);
    const IssuedKey revoked = world.issue();
    REQUIRE(run(world.service.revoke(revoked.record.id, std::nullopt, std::nullopt, operator_actor())));
    world.now += 2h;
    CHECK(regenerate(world, expiring.record.id, 0s).error().kind == KeyProblem::Kind::conflict);
    CHECK(regenerate(world, revoked.record.id, 0s).error().kind == KeyProblem::Kind::conflict);
    CHECK(regenerate(world, KeyId{}, 0s).error().kind == KeyProblem::Kind::not_found);
}

TEST_CASE("regenerate: a fault leaves the old version as it was", "[keys]")
{
    const auto call = GENERATE(as<std::string>{}, "reserve_version", "activate_version", "read", "write");
    KeyWorld world;
    const IssuedKey first = world.issue();
    world.vault.faults.fail(call);
    world.database.faults.fail(call);
    CHECK(regenerate(world, first.record.id, 24h).error().kind == KeyProblem::Kind::unavailable);
    world.vault.faults.heal();
    world.database.faults.heal();

    const auto record = run(world.service.get(first.record.id, std::nullopt));
    CHECK(record->find_version(1)->is_live(world.now + 100h));
    REQUIRE(run(world.service.sweep(world.now + 2h)));
    CHECK(world.row(first.record.id).versions.size() == 1);
    CHECK(vault_record(world, first.record.id).versions.size() == 1);
}

TEST_CASE("regenerate: two at once both go live, and the Vault loses neither", "[keys]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    KeyWorld world;
    const IssuedKey first = world.issue();
    int issued = 0;
    for (int i = 0; i < 2; ++i)
        asio::co_spawn(context, world.service.regenerate(first.record.id, std::nullopt, 24h, operator_actor()),
                       [&](std::exception_ptr error, key_result<IssuedKey> key) { issued += !error && key ? 1 : 0; });
    context.run();
    CHECK(issued == 2);
    const VaultRecord secrets = vault_record(world, first.record.id);
    CHECK(secrets.find(2));
    CHECK(secrets.find(3));
}

TEST_CASE("regenerate: a revocation in the middle wins, and its destroyed entry is not written again", "[keys]")
{
    KeyWorld world;
    const IssuedKey first = world.issue();
    world.service.at_point = [&](std::string_view point) {
        if (point != "regenerate.reserved")
            return;
        world.service.at_point = nullptr;
        REQUIRE(run(world.service.revoke(first.record.id, std::nullopt, std::nullopt, operator_actor())));
    };
    CHECK(regenerate(world, first.record.id, 24h).error().kind == KeyProblem::Kind::conflict);
    CHECK(world.vault.size() == 1); // the peppers
}
