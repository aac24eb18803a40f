#include "app/node_presence.hpp"

#include "support/fakes/node_registry.hpp"
#include "support/run_awaitable.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

NodeBeat node_named(const std::string& name)
{
    NodeBeat self;
    self.node = name;
    return self;
}

struct PresenceWorld {
    FakeNodeRegistry nodes;
    Metrics metrics{std::vector<std::string>{}};
    asio::io_context context{1};
    NodePresence presence{context.get_executor(), nodes, node_named("node-a"), metrics};

    std::uint64_t acknowledged() { return nodes.nodes.at("node-a").beat.applied; }
    // The context runs until `condition` holds.
    template <class F>
    bool until(F condition)
    {
        for (int i = 0; i < 2000 && !condition(); ++i)
            context.run_one_for(5ms);
        return condition();
    }
};

} // namespace

TEST_CASE("node_presence: what is applied is acknowledged at once, not with the next second's beat", "[app]")
{
    PresenceWorld world;
    asio::co_spawn(world.context, world.presence.run(), [](std::exception_ptr) {});
    REQUIRE(world.until([&] { return world.nodes.faults.calls("beat") == 1; }));
    const MonoTime before = std::chrono::steady_clock::now();
    world.presence.applied(7, wall_now());
    REQUIRE(world.until([&] { return world.acknowledged() == 7; }));
    CHECK(std::chrono::steady_clock::now() - before < 900ms);
    CHECK(world.metrics.change_acknowledged.sum_us() < 900'000);
    run(world.context, world.presence.leave());
    CHECK(world.nodes.nodes.empty());
}

TEST_CASE("node_presence: what is applied while a beat is under way goes with another at once", "[app]")
{
    PresenceWorld world;
    asio::co_spawn(world.context, world.presence.run(), [](std::exception_ptr) {});
    while (world.nodes.faults.calls("beat") == 0)
        world.context.poll_one();
    world.presence.applied(3, wall_now()); // the first beat may or may not have been answered
    world.presence.applied(2, wall_now()); // never back
    REQUIRE(world.until([&] { return world.acknowledged() == 3; }));
    run(world.context, world.presence.leave());
}

TEST_CASE(
    "node_presence: a registry out of reach is tried again, and nothing counts as acknowledged meanwhile",
    "[app]")
{
    PresenceWorld world;
    REQUIRE(run(world.context, world.presence.beat()));
    world.nodes.faults.fail("beat");
    world.presence.applied(5, wall_now());
    CHECK_FALSE(run(world.context, world.presence.beat()));
    CHECK(world.metrics.node_beat_errors.value() == 1);
    CHECK(world.acknowledged() == 0);
    world.nodes.faults.heal();
    REQUIRE(run(world.context, world.presence.beat()));
    CHECK(world.acknowledged() == 5);
}

TEST_CASE("node_presence: counts who is alive, and how far the slowest is behind", "[app]")
{
    PresenceWorld world;
    Metrics others{std::vector<std::string>{}};
    NodeBeat admin = node_named("node-admin");
    admin.serves_data = false; // serves no data: nobody waits for it
    NodeBeat slow = node_named("node-slow");
    slow.applied = 4;
    run(world.nodes.beat(admin, 1s)).value();
    run(world.nodes.beat(slow, 1s)).value();
    world.presence.applied(9, wall_now());
    REQUIRE(run(world.context, world.presence.beat()));
    CHECK(world.metrics.nodes_alive.value() == 3);
    CHECK(world.metrics.changes_unacknowledged.value() == 5);
    world.nodes.now += NodePresence::k_alive + 1ms;
    REQUIRE(run(world.context, world.presence.beat()));
    CHECK(world.metrics.nodes_alive.value() == 1);
    CHECK(world.metrics.changes_unacknowledged.value() == 0);
}

TEST_CASE("node_presence: no beat comes after the leave", "[app]")
{
    PresenceWorld world;
    asio::co_spawn(world.context, world.presence.run(), [](std::exception_ptr) {});
    while (world.nodes.faults.calls("beat") == 0)
        world.context.poll_one();
    run(world.context, world.presence.leave());
    const auto beats = world.nodes.faults.calls("beat");
    world.context.restart();
    world.context.run_for(50ms);
    CHECK(world.nodes.faults.calls("beat") == beats);
    CHECK(world.nodes.nodes.empty());
}
