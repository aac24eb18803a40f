#include "keys/propagation.hpp"

#include "support/fakes/key_store.hpp"
#include "support/fakes/node_registry.hpp"
#include "support/run_awaitable.hpp"

#include <boost/json.hpp>

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

struct PropagationWorld {
    PropagationWorld()
    {
        for (int i = 0; i < 3; ++i)
            database.write_change(Change::Subject::key, std::string(16, 'a'), 1);
        watch.clock = [this] { return registry.now; };
    }
    void node(const std::string& name, std::uint64_t applied, bool serves_data = true,
              bool serves_admin = true)
    {
        NodeBeat beat;
        beat.node = name;
        beat.applied = applied;
        beat.serves_data = serves_data;
        beat.serves_admin = serves_admin;
        run(registry.beat(beat, 1s)).value();
    }

    FakeDatabase database;
    FakeKeyStore keys{database};
    FakeNodeRegistry registry;
    PropagationWatch watch{keys, registry, 10min};
};

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("propagation: certain now when every node has applied what was committed", "[keys]")
{
    PropagationWorld world;
    world.node("node-a", 3);
    world.node("node-b", 4);
    world.node("node-admin", 0, false); // verifies no data path key
    const Propagation found = run(world.watch.wait(false));
    CHECK(found.applied == Names{"node-a", "node-b"});
    REQUIRE(found.pending);
    CHECK(found.pending->empty());
    CHECK(found.certain_at == world.registry.now);
}

TEST_CASE("propagation: a management key ends where management keys are verified", "[keys]")
{
    PropagationWorld world;
    world.node("node-admin", 3, false);
    world.node("node-gateway", 0, true, false);
    const Propagation found = run(world.watch.wait(true));
    CHECK(found.applied == Names{"node-admin"});
    CHECK(found.pending == std::optional{Names{}});
}

TEST_CASE("propagation: waits for a node that shows signs of life", "[keys]")
{
    PropagationWorld world;
    world.node("node-a", 3);
    world.node("node-b", 2);
    int looks = 0;
    world.registry.before_list = [&] {
        if (++looks == 3)
            world.registry.nodes.at("node-b").beat.applied = 3;
    };
    const Propagation found = run(world.watch.wait(false));
    CHECK(found.applied == Names{"node-a", "node-b"});
    CHECK(looks == 3);
}

TEST_CASE("propagation: after a second it says who has not applied it, and when it is certain all the same",
          "[keys]")
{
    PropagationWorld world;
    world.node("node-a", 3);
    world.node("node-b", 2);
    const MonoTime before = std::chrono::steady_clock::now();
    const Propagation found = run(world.watch.wait(false));
    const auto took = std::chrono::steady_clock::now() - before;
    CHECK(took >= 800ms);
    CHECK(found.applied == Names{"node-a"});
    CHECK(found.pending == std::optional{Names{"node-b"}});
    CHECK(found.certain_at == world.registry.now + 10min + 1s);
}

TEST_CASE("propagation: a node that was last heard of long ago is named, not waited for", "[keys]")
{
    PropagationWorld world;
    world.node("node-b", 2);
    world.registry.now += 5min;
    world.node("node-a", 3);
    const MonoTime before = std::chrono::steady_clock::now();
    const Propagation found = run(world.watch.wait(false));
    CHECK(std::chrono::steady_clock::now() - before < 500ms);
    CHECK(found.pending == std::optional{Names{"node-b"}});
    // Silent for so long that it has stopped answering from its cache.
    world.registry.now += 6min;
    CHECK(run(world.watch.wait(false)).pending == std::optional{Names{}});
}

TEST_CASE("propagation: where the stores do not answer nobody is said to have applied it", "[keys]")
{
    PropagationWorld world;
    world.node("node-a", 3);
    SECTION("the registry")
    {
        world.registry.faults.fail("list");
    }
    SECTION("the change sequence")
    {
        world.database.faults.fail_all();
    }
    const Propagation found = run(world.watch.wait(false));
    CHECK(found.applied.empty());
    CHECK_FALSE(found.pending);
    CHECK(found.certain_at == world.registry.now + 10min + 1s);
    const auto shown = boost::json::parse(propagation_to_json(found)).as_object();
    CHECK(shown.at("pending").is_null());
}

TEST_CASE("propagation: as JSON beside the members of a key, never certain too early", "[keys]")
{
    Propagation propagation;
    propagation.applied = {"node-a"};
    propagation.pending = Names{"node-b"};
    propagation.certain_at = *parse_rfc3339("2026-11-22T08:00:00Z") + 1ms;
    CHECK(
        with_propagation(R"({"key_id":"x"})", propagation) ==
        R"({"key_id":"x","propagation":{"applied":["node-a"],"pending":["node-b"],"certain_at":"2026-11-22T08:00:01Z"}})");
}
