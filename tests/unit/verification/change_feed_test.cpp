#include "verification/change_feed.hpp"

#include "support/fakes/key_store.hpp"
#include "support/run_awaitable.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

struct FeedWorld {
    FakeDatabase database;
    FakeKeyStore keys{database};
    Metrics metrics{std::vector<std::string>{}};
    asio::io_context context{1};
    std::vector<std::uint64_t> seen;
    std::vector<MonoTime> current;
    std::function<void()> on_dispatch;

    ChangeFeed make(ChangeFeedSettings settings = {})
    {
        const auto dispatch = [this](const std::vector<Change>& changes, MonoTime current_at) {
            for (const auto& change : changes)
                seen.push_back(change.sequence);
            current.push_back(current_at);
            if (on_dispatch)
                on_dispatch();
        };
        return ChangeFeed{settings, context.get_executor(), keys, dispatch, metrics};
    }
    void change(int times = 1)
    {
        for (int i = 0; i < times; ++i)
            database.write_change(Change::Subject::key, std::string(16, 'a'), 1);
    }
};

} // namespace

TEST_CASE("change_feed: begins at the end of the sequence and delivers what follows once, in order", "[verification]")
{
    FeedWorld world;
    world.change(3);
    ChangeFeed feed = world.make();
    REQUIRE(run(world.context, feed.start()));
    CHECK(feed.position() == 3);
    world.change(2);
    REQUIRE(run(world.context, feed.poll()));
    REQUIRE(run(world.context, feed.poll()));
    CHECK(world.seen == std::vector<std::uint64_t>{4, 5});
    CHECK(feed.position() == 5);
    CHECK(world.metrics.change_feed_healthy.value() == 1);
}

TEST_CASE("change_feed: says from when it is current, by the time before it asked", "[verification]")
{
    FeedWorld world;
    ChangeFeed feed = world.make();
    REQUIRE(run(world.context, feed.start()));
    const MonoTime before = std::chrono::steady_clock::now();
    REQUIRE(run(world.context, feed.poll()));
    CHECK(world.current.back() >= before);
    CHECK(world.current.back() <= std::chrono::steady_clock::now());
}

TEST_CASE("change_feed: a backlog longer than a batch is not current until its end", "[verification]")
{
    FeedWorld world;
    ChangeFeedSettings settings;
    settings.batch = 4;
    ChangeFeed feed = world.make(settings);
    REQUIRE(run(world.context, feed.start()));
    const MonoTime at_start = world.current.back();
    world.current.clear();
    world.change(10);
    REQUIRE(run(world.context, feed.poll()));
    CHECK(world.seen.size() == 10);
    REQUIRE(world.current.size() == 3);
    CHECK(world.current[0] == at_start);
    CHECK(world.current[1] == at_start);
    CHECK(world.current[2] > at_start);
}

TEST_CASE("change_feed: a store out of reach makes it unhealthy and loses nothing", "[verification]")
{
    FeedWorld world;
    ChangeFeed feed = world.make();
    REQUIRE(run(world.context, feed.start()));
    const auto dispatched = world.current.size();
    world.change();
    world.database.faults.fail_all();
    CHECK_FALSE(run(world.context, feed.poll()));
    CHECK(world.metrics.change_feed_healthy.value() == 0);
    CHECK(world.metrics.change_feed_errors.value() == 1);
    CHECK(world.current.size() == dispatched);

    world.database.faults.heal();
    REQUIRE(run(world.context, feed.poll()));
    CHECK(world.seen == std::vector<std::uint64_t>{1});
    CHECK(world.metrics.change_feed_healthy.value() == 1);
}

TEST_CASE("change_feed: wake reads at once, however long the interval", "[verification]")
{
    FeedWorld world;
    ChangeFeedSettings settings;
    settings.interval = std::chrono::hours{1};
    ChangeFeed feed = world.make(settings);
    int polls = 0;
    world.on_dispatch = [&] {
        if (++polls == 1) {
            world.change();
            feed.wake();
        } else if (!world.seen.empty()) {
            feed.stop();
        } else {
            feed.wake();
        }
    };
    run(world.context, feed.run());
    CHECK(world.seen == std::vector<std::uint64_t>{1});
}

TEST_CASE("change_feed: polls by itself, also when the store was not there at the start", "[verification]")
{
    FeedWorld world;
    ChangeFeedSettings settings;
    settings.interval = std::chrono::milliseconds{1};
    ChangeFeed feed = world.make(settings);
    world.database.faults.fail_all();
    asio::post(world.context, [&] { asio::post(world.context, [&] { world.database.faults.heal(); }); });
    int polls = 0;
    world.on_dispatch = [&] {
        if (++polls == 5)
            feed.stop();
    };
    run(world.context, feed.run());
    CHECK(polls >= 5);
}
