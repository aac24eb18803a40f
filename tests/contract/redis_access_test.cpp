// Who may talk to Redis, and how privately: passwords, ACL users, databases, TLS.
#include "contract/redis_client_world.hpp"

using namespace gw;
using namespace std::chrono_literals;

namespace {

const std::string k_password = "correct-horse-battery";

RedisServer::Options with_arguments(std::vector<std::string> arguments)
{
    RedisServer::Options options;
    options.arguments = std::move(arguments);
    return options;
}

redis::Options as(const RedisServer& server, const std::string& user, const std::string& password)
{
    redis::Options options = RedisClientWorld::options_for(server);
    options.user = user;
    options.password = Secret{password};
    return options;
}

redis::Options over_tls(const RedisServer& server, const std::string& ca)
{
    redis::Options options = RedisClientWorld::options_for(server);
    options.tls.emplace();
    options.tls->ca = ca;
    return options;
}

// What the log says of an attempt that is refused.
std::string log_of_failing(redis::Options options)
{
    CapturedLog log;
    RedisClientWorld world{std::move(options)};
    CHECK(world.becomes([&] { return log.text().find("redis.down") != std::string::npos; }));
    CHECK_FALSE(world.client().is_up());
    CHECK(world.say({"PING"}) == "<unavailable>");
    return log.text();
}

} // namespace

TEST_CASE("redis access: a password alone is the default user's", "[contract][redis]")
{
    const RedisServer server{with_arguments({"--requirepass", k_password})};
    RedisClientWorld world{as(server, "", k_password)};
    CHECK(world.say({"ACL", "WHOAMI"}) == "default");
}

TEST_CASE("redis access: an ACL user gets what it may do, and errors for the rest", "[contract][redis]")
{
    const RedisServer server{
        with_arguments({"--user", "gateway", "on", ">" + k_password, "~portcullis:*", "+@all"})};
    RedisClientWorld world{as(server, "gateway", k_password)};
    CHECK(world.say({"ACL", "WHOAMI"}) == "gateway");
    CHECK(world.say({"SET", "portcullis:a", "1"}) == "OK");
    CHECK(world.say({"SET", "other", "1"}).starts_with("NOPERM"));
    CHECK(world.client().is_up());
}

TEST_CASE("redis access: a refused password is named in the log, and is not in it", "[contract][redis]")
{
    const RedisServer server{with_arguments({"--requirepass", k_password})};
    const std::string wrong = "wrong-" + k_password;
    const std::string log = log_of_failing(as(server, "", wrong));
    CHECK(log.find("AUTH was refused: WRONGPASS") != std::string::npos);
    CHECK(log.find(wrong) == std::string::npos);
}

TEST_CASE("redis access: a server that repeats the password in its error does not get it into the log",
          "[contract][redis]")
{
    const RedisServer server{with_arguments({"--rename-command", "AUTH", "LOGIN"})};
    const std::string log = log_of_failing(as(server, "someone", k_password));
    CHECK(log.find("AUTH was refused: ERR") != std::string::npos);
    CHECK(log.find(k_password) == std::string::npos);
}

TEST_CASE("redis access: a server that wants a password we have not got is not up", "[contract][redis]")
{
    const RedisServer server{with_arguments({"--requirepass", k_password})};
    CHECK(log_of_failing(RedisClientWorld::options_for(server)).find("PING was refused: NOAUTH") !=
          std::string::npos);
}

TEST_CASE("redis access: the database of the options is the one that is used", "[contract][redis]")
{
    RedisServer server;
    redis::Options options = RedisClientWorld::options_for(server);
    options.database = 3;
    RedisClientWorld world{std::move(options)};
    CHECK(world.say({"SET", "a", "1"}) == "OK");
    CHECK(server.ask({"EXISTS", "a"}).integer == 0);

    redis::Options missing = RedisClientWorld::options_for(server);
    missing.database = 999;
    CHECK(log_of_failing(std::move(missing)).find("SELECT was refused: ERR") != std::string::npos);
}

TEST_CASE("redis access: TLS with the right authority, by address and by name", "[contract][redis]")
{
    RedisServer::Options tls;
    tls.tls = true;
    const RedisServer server{tls};
    redis::Options options = over_tls(server, server.ca_file());
    options.server.host = GENERATE(Catch::Generators::as<std::string>{}, "127.0.0.1", "localhost");
    RedisClientWorld world{std::move(options)};
    REQUIRE(world.comes_up());
    CHECK(world.say({"SET", "a", std::string(200'000, 'x')}) == "OK"); // many TLS records each way
    CHECK(world.say({"GET", "a"}) == std::string(200'000, 'x'));
    std::deque<Noted> calls;
    const std::vector<std::string> words{"INCR", "n"};
    redis::Command command;
    command.words = words;
    for (int i = 0; i < 100; ++i)
        REQUIRE(world.client().start(calls.emplace_back(command)));
    REQUIRE(world.becomes([&] { return calls.back().times == 1; }));
    CHECK(calls.back().text == "100");
}

TEST_CASE("redis access: TLS is refused where the authority, the name or the protocol is wrong",
          "[contract][redis]")
{
    RedisServer::Options tls;
    tls.tls = true;
    tls.arguments = {"--bind", "127.0.0.1", "127.0.0.2"};
    const RedisServer server{tls};
    CHECK(log_of_failing(over_tls(server, server.other_ca_file())).find("TLS: ") != std::string::npos);

    redis::Options other_name = over_tls(server, server.ca_file());
    other_name.server.host = "127.0.0.2"; // the same server, by an address that its certificate does not name
    CHECK(log_of_failing(std::move(other_name)).find("TLS: ") != std::string::npos);

    const RedisServer plain;
    redis::Options to_plain = over_tls(plain, server.ca_file());
    to_plain.connect_timeout = 1000ms;
    log_of_failing(std::move(to_plain));
}

TEST_CASE("redis access: a server that wants a client's certificate gets it", "[contract][redis]")
{
    RedisServer::Options tls;
    tls.tls = true;
    tls.arguments = {"--tls-auth-clients", "yes"};
    const RedisServer server{tls};
    redis::Options options = over_tls(server, server.ca_file());
    options.tls->certificate = (server.folder() / "server.pem").string();
    options.tls->key = (server.folder() / "server.key").string();
    RedisClientWorld world{std::move(options)};
    REQUIRE(world.comes_up());
    CHECK(world.say({"PING"}) == "PONG");
    log_of_failing(over_tls(server, server.ca_file()));
}

TEST_CASE("redis access: TLS files that cannot be used are named", "[contract][redis]")
{
    const RedisServer server;
    asio::io_context context{1};
    const redis::Options options = over_tls(server, "/nonexistent/ca.pem");
    CHECK_THROWS_WITH(redis::create_client(context.get_executor(), options),
                      Catch::Contains("/nonexistent/ca.pem"));
}
