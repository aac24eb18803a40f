// The client against a redis-server of Debian's: commands, pipelining, scripts, and what outages do to them.
#include "contract/redis_client_world.hpp"

#include "net/task.hpp"

#include <deque>

using namespace gw;
using namespace std::chrono_literals;

namespace {

// Starts `count` ECHOs in one turn of the event loop.
struct Burst {
    Burst(RedisClientWorld& world, std::size_t count) : words(count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            words[i] = {"ECHO", std::to_string(i)};
            redis::Command command;
            command.words = words[i];
            if (!world.client().start(calls.emplace_back(command)))
                ++refused;
        }
    }
    bool is_answered() const
    {
        return std::all_of(calls.begin(), calls.end(), [](const Noted& call) { return call.times > 0; });
    }
    std::vector<std::vector<std::string>> words;
    std::deque<Noted> calls;
    std::size_t refused = 0;
};

Task<void> echo(redis::Client& client, std::string& out)
{
    const std::vector<std::string> words{"ECHO", "from a task"};
    redis::Command command;
    command.words = words;
    const result<redis::Reply> reply = co_await redis::Ask(client, command);
    out = RedisClientWorld::drawn(reply);
}

} // namespace

TEST_CASE("redis client: the first command waits for the connection", "[contract][redis]")
{
    const RedisServer server;
    RedisClientWorld world{server};
    CHECK(world.client().is_up());
    CHECK(world.say({"ECHO", "hello"}) == "hello");
}

TEST_CASE("redis client: answers of every kind come back", "[contract][redis]")
{
    const RedisServer server;
    RedisClientWorld world{server};
    CHECK(world.say({"SET", "a", std::string{"\0\r\nx", 4}}) == "OK");
    CHECK(world.say({"GET", "a"}) == std::string{"\0\r\nx", 4});
    CHECK(world.say({"GET", "b"}) == "(nil)");
    CHECK(world.say({"INCR", "n"}) == "1");
    CHECK(world.say({"MGET", "a", "b", "n"}) == "(3 items)");
    CHECK(world.say({"LPUSH", "a", "1"}).starts_with("WRONGTYPE"));
}

TEST_CASE("redis client: commands of one turn leave in one write, and answers find their command",
          "[contract][redis]")
{
    const RedisServer server;
    RedisClientWorld world{server};
    REQUIRE(world.comes_up());
    const redis::Figures before = world.client().figures();
    const Burst burst{world, 1000};
    REQUIRE(world.becomes([&] { return burst.is_answered(); }));
    CHECK(world.client().figures().commands - before.commands == 1000);
    CHECK(world.client().figures().writes - before.writes == 1);
    for (std::size_t i = 0; i < burst.calls.size(); ++i)
        REQUIRE(burst.calls[i].text == std::to_string(i));
}

TEST_CASE("redis client: a Task awaits without a coroutine of Asio's", "[contract][redis]")
{
    const RedisServer server;
    RedisClientWorld world{server};
    TaskGroup tasks;
    std::string text;
    tasks.spawn(echo(world.client(), text));
    REQUIRE(world.becomes([&] { return tasks.running() == 0; }));
    CHECK(text == "from a task");
}

TEST_CASE("redis client: a command larger than the socket takes arrives whole, with what follows it",
          "[contract][redis]")
{
    const RedisServer server;
    redis::Options options = RedisClientWorld::options_for(server);
    options.command_timeout = 10s;
    options.max_reply_bytes = 64 * 1024 * 1024;
    RedisClientWorld world{std::move(options)};
    REQUIRE(world.comes_up());
    const std::string large(20 * 1024 * 1024, 'x');
    const auto before = world.client().figures().writes;
    const std::vector<std::string> set{"SET", "large", large}, length{"STRLEN", "large"};
    redis::Command first, second;
    first.words = set;
    second.words = length;
    Noted stored{first}, measured{second};
    REQUIRE(world.client().start(stored));
    REQUIRE(world.becomes([&] { return world.client().figures().writes > before; }, 5s));
    REQUIRE(world.client().start(measured));
    REQUIRE(world.becomes([&] { return stored.times + measured.times == 2; }));
    CHECK(measured.text == std::to_string(large.size()));
    CHECK(world.say({"GET", "large"}).size() == large.size());
}

TEST_CASE("redis client: a script the server does not know is sent in full, once", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    const redis::Script script{"return redis.call('INCRBY', KEYS[1], ARGV[1])"};
    CHECK(world.say(script, {"n"}, {"5"}) == "5");
    CHECK(world.say(script, {"n"}, {"5"}) == "10");
    CHECK(world.client().figures().in_full == 1);
    server.ask({"SCRIPT", "FLUSH"});
    CHECK(world.say(script, {"n"}, {"5"}) == "15");
    CHECK(world.say(script, {"n"}, {"5"}) == "20");
    CHECK(world.client().figures().in_full == 2);
}

TEST_CASE("redis client: a script's own error is an answer", "[contract][redis]")
{
    const RedisServer server;
    RedisClientWorld world{server};
    CHECK_THAT(world.say(redis::Script{"return redis.error_reply('MINE of my own')"}, {"n"}), Catch::Contains("MINE of my own"));
    CHECK(world.say(redis::Script{"this is no Lua"}, {"n"}).starts_with("ERR"));
    CHECK(world.client().is_up());
}

TEST_CASE("redis client: a command that is given up leaves nothing behind", "[contract][redis]")
{
    const RedisServer server;
    RedisClientWorld world{server};
    REQUIRE(world.comes_up());
    {
        const Burst given_up{world, 3};
    }
    const Burst burst{world, 2};
    REQUIRE(world.becomes([&] { return burst.is_answered(); }));
    CHECK(burst.calls[0].text == "0");
    CHECK(burst.calls[1].text == "1");
}

TEST_CASE("redis client: an answer that is too long ends the connection, not the client", "[contract][redis]")
{
    RedisServer server;
    server.ask({"SET", "large", std::string(3 * 1024 * 1024, 'x')});
    redis::Options options = RedisClientWorld::options_for(server);
    options.max_reply_bytes = 1024 * 1024;
    RedisClientWorld world{std::move(options)};
    CHECK(world.say({"GET", "large"}) == "<in doubt>");
    CHECK_FALSE(world.client().is_up());
    REQUIRE(world.comes_up());
    CHECK(world.say({"ECHO", "again"}) == "again");
}

TEST_CASE("redis client: a client that ends answers what waits", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    if (GENERATE(true, false))
        REQUIRE(world.comes_up());
    server.pause();
    const Burst burst{world, 3};
    world.becomes([] { return false; }, 20ms);
    CHECK_FALSE(burst.is_answered());
    world.drop_client();
    CHECK(burst.is_answered());
    server.resume();
}
