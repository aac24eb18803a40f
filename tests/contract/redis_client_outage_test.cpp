// The client while its server is paused, slow, gone, or no longer what it was.
#include "contract/redis_client_world.hpp"

#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <thread>

using namespace gw;
using namespace std::chrono_literals;

namespace {

// Within the deadline, and what a sanitized build on a busy machine may be late.
constexpr auto k_lateness = 400ms;

SteadyClock::duration time_of(const std::function<void()>& work)
{
    const auto began = SteadyClock::now();
    work();
    return SteadyClock::now() - began;
}

} // namespace

TEST_CASE("redis outage: a paused server costs each command its deadline, then nothing", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    REQUIRE(world.comes_up());
    server.pause();
    for (int i = 0; i < 3; ++i) {
        const auto took = time_of([&] { CHECK(world.say({"ECHO", "x"}) == "<in doubt>"); });
        CHECK(took >= 300ms);
        CHECK(took < 300ms + k_lateness);
    }
    CHECK_FALSE(world.client().is_up());
    const auto took = time_of([&] {
        for (int i = 0; i < 1000; ++i)
            CHECK(world.say({"ECHO", "x"}) == "<unavailable>");
    });
    CHECK(took < 3s); // not a thousand deadlines
    server.resume();
    REQUIRE(world.comes_up());
    for (int i = 0; i < 20; ++i)
        CHECK(world.say({"ECHO", std::to_string(i)}) == std::to_string(i));
}

TEST_CASE("redis outage: late answers go to nobody, and the connection stays", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    REQUIRE(world.comes_up());
    server.pause();
    CHECK(world.say({"INCR", "n"}) == "<in doubt>");
    CHECK(world.client().is_up());
    server.resume();
    CHECK(world.say({"ECHO", "mine"}) == "mine");
    CHECK(world.say({"GET", "n"}) == "1"); // in doubt, and done
    CHECK(world.client().figures().connects == 1);
    CHECK(world.client().figures().timeouts == 1);
}

TEST_CASE("redis outage: every command of a burst is answered by its deadline", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    REQUIRE(world.comes_up());
    server.pause();
    const std::vector<std::string> words{"PING"};
    redis::Command command;
    command.words = words;
    std::deque<Noted> calls;
    const auto began = SteadyClock::now();
    for (int i = 0; i < 500; ++i)
        CHECK(world.client().start(calls.emplace_back(command)));
    REQUIRE(world.becomes([&] { return calls.back().times > 0; }));
    for (const Noted& call : calls) {
        REQUIRE(call.times == 1);
        REQUIRE(call.text == "<in doubt>");
        REQUIRE(call.at - began < 300ms + k_lateness);
    }
    server.resume();
}

TEST_CASE("redis outage: a server that answers nothing for a second is connected to anew",
          "[contract][redis]")
{
    RedisServer server;
    redis::Options options = RedisClientWorld::options_for(server);
    options.connect_timeout = 500ms;
    RedisClientWorld world{std::move(options)};
    REQUIRE(world.comes_up());
    server.pause();
    CHECK(world.say({"PING"}) == "<in doubt>");
    world.becomes([] { return false; }, 2500ms);
    server.resume();
    REQUIRE(world.comes_up());
    CHECK(world.client().figures().connects >= 2);
    CHECK(world.say({"ECHO", "x"}) == "x");
}

TEST_CASE("redis outage: a server that is gone refuses at once, and is found again", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    CHECK(world.say({"SET", "a", "1"}) == "OK");
    CapturedLog log;
    server.kill();
    REQUIRE(world.becomes([&] { return !world.client().is_up(); }));
    const auto took = time_of([&] { CHECK(world.say({"GET", "a"}) == "<unavailable>"); });
    CHECK(took < k_lateness);
    world.becomes([] { return false; }, 500ms);
    server.start();
    REQUIRE(world.becomes([&] { return world.client().is_up(); }));
    CHECK(world.say({"GET", "a"}) == "(nil)");
    const std::string text = log.text();
    CHECK(text.find("redis.down") != std::string::npos);
    CHECK(text.find("redis.up") == text.rfind("redis.up"));
    CHECK(text.find("redis.up") != std::string::npos);
    CHECK(std::count(text.begin(), text.end(), '\n') < 6); // not a line for each attempt
}

TEST_CASE("redis outage: commands sent as the server dies are in doubt, never sent again",
          "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    REQUIRE(world.comes_up());
    server.pause();
    const std::vector<std::string> words{"INCR", "n"};
    redis::Command command;
    command.words = words;
    Noted call{command};
    REQUIRE(world.client().start(call));
    world.becomes([] { return false; }, 20ms);
    server.kill();
    REQUIRE(world.becomes([&] { return call.times > 0; }));
    CHECK(call.text == "<in doubt>");
    server.start();
    REQUIRE(world.becomes([&] { return world.client().is_up(); }));
    CHECK(world.say({"GET", "n"}) == "(nil)");
}

TEST_CASE("redis outage: a server that is not there at the start is waited for, within the deadline",
          "[contract][redis]")
{
    RedisServer server;
    server.kill();
    RedisClientWorld world{server};
    CHECK(world.say({"PING"}) == "<unavailable>");
    CHECK_FALSE(world.client().is_up());
    server.start();
    REQUIRE(world.comes_up());
    CHECK(world.say({"PING"}) == "PONG");
}

TEST_CASE("redis outage: what answers but is no Redis is refused", "[contract][redis]")
{
    asio::io_context context{1};
    Acceptor acceptor{context, Tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    std::atomic<bool> done{false};
    std::thread impostor{[&] {
        for (int i = 0; i < 2; ++i) {
            Socket socket{context};
            acceptor.accept(socket);
            std::array<char, 64> greeting{};
            boost::system::error_code ignored;
            socket.read_some(asio::mutable_buffer{greeting.data(), greeting.size()}, ignored);
            const std::string_view text = "HTTP/1.1 400 Bad Request\r\n\r\n";
            asio::write(socket, asio::const_buffer{text.data(), text.size()}, ignored);
        }
        done = true;
    }};
    redis::Options options;
    options.server.host = "127.0.0.1";
    options.server.port = acceptor.local_endpoint().port();
    CapturedLog log;
    RedisClientWorld world{std::move(options)};
    CHECK(world.say({"PING"}) == "<unavailable>");
    CHECK(world.becomes([&] { return done.load(); }));
    impostor.join();
    world.becomes([] { return false; }, 50ms);
    CHECK_FALSE(world.client().is_up());
    CHECK(log.text().find("what came is not Redis's protocol") != std::string::npos);
    CHECK(log.text().find("HTTP/1.1") == std::string::npos);
}

TEST_CASE("redis outage: a server that became a replica is left", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    REQUIRE(world.comes_up());
    server.ask({"REPLICAOF", "127.0.0.1", "1"});
    CHECK(world.say({"SET", "a", "1"}) == "<unavailable>");
    server.ask({"REPLICAOF", "NO", "ONE"});
    REQUIRE(world.becomes([&] { return world.client().is_up() && world.say({"SET", "a", "1"}) == "OK"; }));
}
