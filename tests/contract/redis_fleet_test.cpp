// The client with Sentinel and with Cluster, while primaries fail and slots move.
#include "contract/redis_client_world.hpp"

#include "adapters/redis/slot_map.hpp"

using namespace gw;
using namespace std::chrono_literals;

namespace {

redis::Options with_sentinel(SentinelFleet& fleet, const std::string& password)
{
    redis::Options options = RedisClientWorld::options_for(fleet.primary());
    options.server = {}; // it has to be asked for
    options.password = Secret{password};
    options.sentinel.emplace();
    options.sentinel->master = SentinelFleet::name();
    options.sentinel->password = Secret{fleet.sentinel_password()};
    redis::Server nobody; // a sentinel that does not run
    nobody.host = "127.0.0.1";
    nobody.port = free_port();
    options.sentinel->nodes = {nobody, fleet.sentinel_server().address()};
    return options;
}

redis::Options of_cluster(RedisCluster& cluster)
{
    redis::Options options = RedisClientWorld::options_for(cluster.node(0));
    options.cluster = true;
    options.command_timeout = 1000ms;
    return options;
}

std::string key_in(std::uint16_t slot)
{
    for (int i = 0;; ++i)
        if (redis::slot_of("key" + std::to_string(i)) == slot)
            return "key" + std::to_string(i);
}

} // namespace

TEST_CASE("redis sentinel: the primary is found, and found again after a failover under load",
          "[contract][redis]")
{
    const std::string password = GENERATE(as<std::string>{}, "", "a-password");
    SentinelFleet fleet{password};
    RedisClientWorld world{with_sentinel(fleet, password)};
    REQUIRE(world.comes_up());
    REQUIRE(world.becomes([&] { return world.say({"SET", "n", "1"}) == "OK"; }));
    CHECK(fleet.primary().ask_as(password, {"GET", "n"}).text == "1");

    fleet.primary().kill();
    int succeeded = 0;
    REQUIRE(world.becomes([&] {
        const std::string answer = world.say({"INCR", "m"});
        CHECK(
            (answer == "<unavailable>" || answer == "<in doubt>" || answer == std::to_string(succeeded + 1)));
        succeeded += answer.front() != '<' ? 1 : 0;
        return succeeded >= 100;
    }));
    CHECK(fleet.replica().ask_as(password, {"GET", "m"}).text == "100");
    CHECK(fleet.replica().ask_as(password, {"ROLE"}).items.at(0).text == "master");
}

TEST_CASE("redis sentinel: a primary that is replaced though it stands is left", "[contract][redis]")
{
    SentinelFleet fleet;
    RedisClientWorld world{with_sentinel(fleet, "")};
    REQUIRE(world.comes_up());
    // The sentinel's own order, which makes the old primary a replica.
    REQUIRE(world.becomes([&] {
        return fleet.sentinel({"SENTINEL", "FAILOVER", SentinelFleet::name()}).text == "OK";
    }));
    REQUIRE(world.becomes([&] {
        return world.say({"SET", "a", "1"}) == "OK" && fleet.replica().ask({"GET", "a"}).text == "1" &&
               fleet.replica().ask({"ROLE"}).items.at(0).text == "master";
    }));
}

TEST_CASE("redis cluster: slots are computed as the server does", "[contract][redis]")
{
    RedisServer::Options alone;
    alone.cluster = true;
    const RedisServer server{alone};
    RedisConversation conversation{server.port()};
    for (const std::string key :
         {"", "a", "{a}b", "{}a", "{a", "a}", "}{a}", "{{a}}", "{a}{b}", "a{b{c}d}e", "\xff\x80{\x01}"})
        CHECK(conversation.ask({"CLUSTER", "KEYSLOT", key}).integer == redis::slot_of(key));
    for (int i = 0; i < 1000; ++i) {
        const std::string key = random_base62(1 + static_cast<std::size_t>(i) % 40);
        REQUIRE(conversation.ask({"CLUSTER", "KEYSLOT", key}).integer == redis::slot_of(key));
    }
}

TEST_CASE("redis cluster: commands, redirections, migrations and failovers", "[contract][redis]")
{
    // One cluster for all of them: making it takes seconds.
    RedisCluster cluster;
    RedisClientWorld world{of_cluster(cluster)};
    REQUIRE(world.comes_up());

    // Every slot is reached, the first commands by redirection, later ones directly.
    const auto set_all = [&] {
        int right = 0;
        for (int i = 0; i < 200; ++i)
            right +=
                world.say({"SET", "k" + std::to_string(i), "v"}, "k" + std::to_string(i)) == "OK" ? 1 : 0;
        return right;
    };
    CHECK(set_all() == 200);
    REQUIRE(world.becomes([&] { // the map has come
        const auto before = world.client().figures().redirected;
        return set_all() == 200 && world.client().figures().redirected == before;
    }));

    // Scripts over keys of one hash tag; each node learns the script.
    const redis::Script script{"redis.call('SET', KEYS[1], ARGV[1]); return redis.call('INCR', KEYS[2])"};
    for (const std::string tag : {"{a}", "{b}", "{c}", "{d}", "{e}", "{f}"}) {
        CHECK(world.say(script, {tag + "x", tag + "n"}, {"7"}) == "1");
        CHECK(world.say(script, {tag + "x", tag + "n"}, {"7"}) == "2");
    }
    CHECK(world.client().figures().in_full <= 3);
    CHECK(world.say({"PING"}) == "PONG"); // no key: any primary

    // A slot on its way: what is there already is asked for with ASKING.
    const std::uint16_t slot = 1234;
    const std::string key = key_in(slot), tag = "{" + key + "}";
    RedisServer& from = cluster.owner_of(slot);
    RedisServer& to = cluster.other_primary(from);
    const std::string from_id = from.ask({"CLUSTER", "MYID"}).text, to_id = to.ask({"CLUSTER", "MYID"}).text;
    CHECK(world.say({"SET", key, "here"}, key) == "OK");
    to.ask({"CLUSTER", "SETSLOT", std::to_string(slot), "IMPORTING", from_id});
    from.ask({"CLUSTER", "SETSLOT", std::to_string(slot), "MIGRATING", to_id});
    CHECK(world.say({"GET", key}, key) == "here");
    const auto redirected = world.client().figures().redirected;
    CHECK(world.say({"SET", tag + "new", "there"}, key) == "OK");
    CHECK(world.client().figures().redirected == redirected + 1);
    CHECK(world.say(script, {tag + "s", tag + "t"}, {"7"}) == "1"); // NOSCRIPT or not, both ways

    // Half of the keys of one command have moved: tried again until all have.
    CHECK(world.say({"MGET", key, tag + "new"}, key) == "<unavailable>");
    CHECK(from.ask({"MIGRATE", "127.0.0.1", std::to_string(to.port()), key, "0", "2000"}).text == "OK");
    CHECK(world.say({"MGET", key, tag + "new"}, key) == "(2 items)");

    // Moved for good.
    for (RedisServer* node : {&to, &from})
        node->ask({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", to_id});
    CHECK(world.say({"GET", key}, key) == "here");
    REQUIRE(world.becomes([&] {
        const auto before = world.client().figures().redirected;
        return world.say({"GET", tag + "new"}, key) == "there" &&
               world.client().figures().redirected == before;
    }));

    // A primary dies: its slots are refused at once, the others go on, and its replica takes over.
    const std::uint16_t lost = redis::slot_of("k0");
    cluster.owner_of(lost).kill();
    int served_meanwhile = 0;
    REQUIRE(world.becomes([&] {
        served_meanwhile += world.say({"SET", tag + "new", "x"}, key) == "OK" ? 1 : 0;
        return world.say({"SET", "k0", "after"}, "k0") == "OK";
    }));
    CHECK(world.say({"GET", "k0"}, "k0") == "after");
    CHECK(served_meanwhile > 0);
}
