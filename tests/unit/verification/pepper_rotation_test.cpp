// A rotation of the pepper under a running ladder: no bcrypt for what a digest under either generation can prove, and
// digests made anew as keys come by.
#include "keys/pepper_rotation.hpp"
#include "unit/verification/ladder_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace gw;
using namespace std::chrono_literals;
using Ending = Verification::Outcome;

namespace {

struct RotationWorld : SharedWorld {
    PepperRotation rotate(bool force = false, std::chrono::seconds grace = 0s)
    {
        const auto rotated = run(rotate_pepper(vault, keys, grace, force, now));
        if (!rotated)
            throw std::logic_error("not rotated: " + rotated.error().message());
        if (!run(peppers.refresh(vault)))
            throw std::logic_error("not refreshed");
        return *rotated;
    }
    std::string vault_pepper(const KeyRecord& key)
    {
        const auto entry = run(vault.read(vault_path(key.tenant, key.id))).value().value();
        return VaultRecord::from_json(entry.data)->versions.back().pepper_id;
    }
    std::size_t renew() { return run(redigests.write_some(vault, digests, 1000)); }
};

} // namespace

TEST_CASE("pepper_rotation: the new one is current, the one before it live, in the ring and in the Vault", "[verification]")
{
    RotationWorld world;
    const std::string before = world.peppers.current(world.now).id;
    const PepperRotation rotation = world.rotate();
    CHECK(rotation.is_done);
    CHECK(rotation.previous == before);
    CHECK_FALSE(rotation.ended);
    CHECK(world.peppers.current(world.now).id == rotation.current);
    CHECK(world.peppers.find(before));
    PepperRing other;
    REQUIRE(run(other.load(world.vault)));
    CHECK(other.current(world.now).id == rotation.current);
    CHECK(other.find(before));
}

TEST_CASE("pepper_rotation: during the grace the new one is read and not yet used", "[verification]")
{
    RotationWorld world;
    const std::string before = world.peppers.current(world.now).id;
    const PepperRotation rotation = world.rotate(false, 60s);
    CHECK(world.peppers.current(world.now).id == before);
    CHECK(world.peppers.find(rotation.current));
    CHECK(world.peppers.current(world.now + 60s).id == rotation.current);
}

TEST_CASE("ladder: a rotation costs no bcrypt, and the next verification writes the digests anew", "[verification]")
{
    RotationWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(world.renew() == 0);
    const PepperRotation rotation = world.rotate();

    SECTION("of a worker that knows the key, after its TTL")
    {
        CHECK(worker.from_memory(issued.key.reveal()) == Ending::verified);
        worker.pass(6min);
        CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
    }
    SECTION("of a worker that does not")
    {
        TestWorker fresh{world};
        CHECK(fresh.outcome(issued.key.reveal()) == Ending::verified);
    }
    CHECK(world.renew() == 1);
    CHECK(world.vault_pepper(issued.record) == rotation.current);
    CHECK(world.digests.stored(issued.record.id)->pepper_id == rotation.current);
    TestWorker later{world};
    CHECK(later.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(world.renew() == 0);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: a second live version keeps its shared digest when the other's is renewed", "[verification]")
{
    RotationWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    const auto again = run(world.service.regenerate(issued.record.id, std::nullopt, 1h, operator_actor()));
    REQUIRE(again);
    worker.catch_up();
    REQUIRE(worker.outcome(again->key.reveal()) == Ending::verified);
    REQUIRE(world.bcrypt_runs() == 2);
    world.rotate();
    TestWorker fresh{world};
    CHECK(fresh.outcome(again->key.reveal()) == Ending::verified);
    CHECK(world.renew() == 1);
    TestWorker another{world};
    CHECK(another.outcome(issued.key.reveal()) == Ending::verified);
    CHECK(another.outcome(again->key.reveal()) == Ending::verified);
    CHECK(world.bcrypt_runs() == 2);
}

TEST_CASE("pepper_rotation: a third is refused while keys depend on the oldest, and says how many", "[verification]")
{
    RotationWorld world;
    TestWorker worker{world};
    const IssuedKey used = world.issue(), idle = world.issue(wanted_key("idle")), revoked = world.issue(wanted_key("gone"));
    REQUIRE(run(world.service.revoke(revoked.record.id, std::nullopt, std::nullopt, operator_actor())));
    REQUIRE(world.rotate().is_done);
    REQUIRE(worker.outcome(used.key.reveal()) == Ending::verified);
    REQUIRE(world.renew() == 1);

    const PepperRotation refused = world.rotate();
    CHECK_FALSE(refused.is_done);
    CHECK(refused.left_behind == 1);
    const auto runs = world.bcrypt_runs();
    const PepperRotation forced = world.rotate(true);
    CHECK(forced.is_done);
    CHECK(forced.left_behind == 1);
    CHECK_FALSE(world.peppers.find(*forced.ended));

    TestWorker fresh{world};
    CHECK(fresh.outcome(used.key.reveal()) == Ending::verified);
    CHECK(world.bcrypt_runs() == runs);
    CHECK(fresh.outcome(idle.key.reveal()) == Ending::verified); // the fallback
    CHECK(world.bcrypt_runs() == runs + 1);
    CHECK(world.renew() == 2);
    CHECK(world.vault_pepper(idle.record) == world.peppers.current(world.now).id);
}

TEST_CASE("ladder: a digest under a pepper that this process has not heard of makes it look again", "[verification]")
{
    RotationWorld world;
    TestWorker worker{world};
    const auto rotated = run(rotate_pepper(world.vault, world.keys, 0s, false, world.now));
    REQUIRE(rotated);
    PepperRing elsewhere; // another node's, which has heard
    REQUIRE(run(elsewhere.load(world.vault)));
    KeyService other_node{test_rules(), world.keys, world.tenants, world.vault, world.digests, elsewhere, world.hashing};
    other_node.clock = [&] { return world.now; };
    auto issued = run(other_node.create(wanted_key(), operator_actor()));
    REQUIRE(issued);
    REQUIRE(world.vault_pepper(issued->record) == rotated->current);
    CHECK_FALSE(world.peppers.find(rotated->current));
    CHECK(worker.outcome(wrong_secret(issued->record.id)) == Ending::unknown);
    CHECK(world.peppers.find(rotated->current));
    CHECK(world.bcrypt_runs() == 0); // the digest told, not bcrypt
}

TEST_CASE("pepper_ring: looking again is bounded", "[verification]")
{
    RotationWorld world;
    const auto reads = world.vault.faults.calls("read");
    for (int i = 0; i < 100; ++i)
        run(world.peppers.look_again(world.vault));
    CHECK(world.vault.faults.calls("read") - reads <= 20); // ten a second, and a second may end meanwhile
    CHECK(world.vault.faults.calls("read") > reads);
}

TEST_CASE("pepper_ring: readers on other threads see one generation or the other", "[verification]")
{
    RotationWorld world;
    std::atomic<bool> stop{false};
    std::atomic<int> bad{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            while (!stop) {
                const Pepper& pepper = world.peppers.current(world.now);
                bad += pepper.id.size() != 8 || pepper.value.reveal().size() != 64 || !world.peppers.find(pepper.id);
            }
        });
    for (int i = 0; i < 20; ++i) {
        world.rotate(true);
        std::this_thread::sleep_for(1ms);
    }
    stop = true;
    for (auto& reader : readers)
        reader.join();
    CHECK(bad <= 3 * 20); // current, then find: a rotation may have ended it in between
}

TEST_CASE("redigests: bounded, each key once, and what was destroyed stays so", "[verification]")
{
    RotationWorld world;
    Redigests few{2};
    Redigest item;
    item.tenant = tenant_id("acme");
    item.key = *KeyId::parse("AAAAAAAAAAAAAAAA");
    item.version = 1;
    item.live_versions = {1};
    item.pepper_id = "newer000";
    CHECK(few.push(item));
    CHECK_FALSE(few.push(item));
    item.version = 2;
    CHECK(few.push(item));
    item.version = 3;
    CHECK_FALSE(few.push(item));
    CHECK(few.waiting() == 2);
    CHECK(run(few.write_some(world.vault, world.digests, 1)) == 1);
    CHECK(few.waiting() == 1);
    CHECK_FALSE(world.vault.contains(vault_path(item.tenant, item.key)));
}
