// stores.limits.redis: the url's parts, secrets only by reference, and what does not go together.
#include "settings/print.hpp"

#include "problems_of.hpp"

#include <algorithm>
#include <cstdlib>

using namespace gw;

namespace {

std::string with(const std::string& redis)
{
    return "version: 1\nstores: { limits: { redis: { " + redis + " } } }\n";
}

RedisSettings redis_of(const std::string& redis)
{
    Settings settings = settings_of(with(redis));
    REQUIRE(settings.stores.redis_limits);
    return std::move(*settings.stores.redis_limits);
}

std::string text_of(const RedisSettings& redis)
{
    return (redis.tls ? "tls " : "plain ") + redis.user + '|' +
           (redis.password ? std::string{redis.password->reveal()} : "-") + '|' + redis.server.host + '|' +
           std::to_string(redis.server.port) + '|' + std::to_string(redis.database);
}

} // namespace

TEST_CASE("redis settings: the url's parts", "[settings]")
{
    ::setenv("GW_TEST_REDIS_PASSWORD", "p@ss:w/rd%41}", 1);
    ::setenv("GW_TEST_REDIS_URL", "rediss://us%65r:p%40ss@[::1]:7000/4", 1);
    ::setenv("GW_TEST_REDIS_HOST", "redis.example.com", 1);
    auto [url, parts] = GENERATE(table<std::string, std::string>(
        {{"redis://localhost", "plain |-|localhost|6379|0"},
         {"redis://10.0.0.1:6380/3", "plain |-|10.0.0.1|6380|3"},
         {"rediss://[2001:db8::1]:6380/", "tls |-|2001:db8::1|6380|0"},
         {"redis://:${env:GW_TEST_REDIS_PASSWORD}@h", "plain |p@ss:w/rd%41}|h|6379|0"},
         {"redis://us%3Aer:${env:GW_TEST_REDIS_PASSWORD}@${env:GW_TEST_REDIS_HOST}:1/2",
          "plain us:er|p@ss:w/rd%41}|redis.example.com|1|2"},
         {"${env:GW_TEST_REDIS_URL}", "tls user|p@ss|::1|7000|4"}}));
    CHECK(text_of(redis_of("url: '" + url + "'")) == parts);
}

TEST_CASE("redis settings: a url that is none is refused, and not repeated", "[settings]")
{
    ::setenv("GW_TEST_REDIS_BAD_URL", "http://:hunter2@h", 1);
    const std::string url = GENERATE(as<std::string>{}, "http://hunter2@h", "hunter2", "redis://",
                                     "redis://h:0", "redis://h:99999", "redis://h/x", "redis://h/0/1",
                                     "redis://h?db=1", "redis://a b", "${env:GW_TEST_REDIS_BAD_URL}");
    const auto problems = load_problems(with("url: '" + url + "'"));
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0],
               Catch::Contains("stores.limits.redis.url: is not the address of a Redis server") &&
                   !Catch::Contains("hunter2"));
}

TEST_CASE("redis settings: a password in the file is refused, and not repeated", "[settings]")
{
    const std::string url =
        GENERATE(as<std::string>{}, "redis://u:hunter2@h", "redis://:hunter2@h", "redis://u:x${env:HOME}@h");
    const auto problems = load_problems(with("url: '" + url + "'"));
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0],
               Catch::Contains("a password must not stand in the file") && !Catch::Contains("hunter2"));
}

TEST_CASE("redis settings: what does not go together is told at its place", "[settings]")
{
    auto [redis, problem] = GENERATE(table<std::string, std::string>(
        {{"cluster: true", "stores.limits.redis.url: missing"},
         {"url: redis://h, cluster: true, sentinel: { master: m, nodes: ['h:1'] }",
          "a cluster needs no sentinels"},
         {"url: redis://h/1, cluster: true", "a cluster has only database 0"},
         {"url: redis://h, sentinel: { nodes: ['h:1'] }", "stores.limits.redis.sentinel.master: missing"},
         {"url: redis://h, sentinel: { master: m, nodes: [] }", "needs a sentinel"},
         {"url: redis://h, sentinel: { master: m, nodes: ['h:0'] }", "`h:0` is not a host and a port"},
         {"url: redis://h, sentinel: { master: m, nodes: [h], password: hunter2 }",
          "a secret must not stand in the file"},
         {"url: redis://h, tls: { ca: f }", "the url is without TLS"},
         {"url: rediss://h, tls: { certificate: f }", "belong together"},
         {"url: 'redis://u@h'", "names a user without a password"},
         {"url: redis://h, key_prefix: 'a{b}'", "is not a prefix for keys"},
         {"url: redis://h, command_timeout: 0ms", "stores.limits.redis.command_timeout"},
         {"url: redis://h, comand_timeout: 1ms", "did you mean `command_timeout`?"}}));
    const auto problems = load_problems(with(redis));
    INFO(redis);
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0], Catch::Contains(problem) && !Catch::Contains("hunter2"));
}

TEST_CASE("redis settings: one store counts limits", "[settings]")
{
    const auto problems =
        load_problems("version: 1\nstores: { limits: { memory: {}, redis: { url: redis://h } } }\n");
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0], Catch::Contains("write `memory` or `redis`, not both"));
}

TEST_CASE("redis settings: without TLS over a network is worth a warning", "[settings]")
{
    const auto lints = [](const std::string& redis) {
        const auto problems = all_problems(with(redis));
        return std::any_of(problems.begin(), problems.end(), [](const std::string& line) {
            return line.find("without TLS") != std::string::npos;
        });
    };
    CHECK(lints("url: redis://redis.example.com"));
    CHECK(lints("url: redis://localhost, sentinel: { master: m, nodes: ['10.0.0.1:1'] }"));
    CHECK_FALSE(lints("url: rediss://redis.example.com"));
    CHECK_FALSE(lints("url: redis://127.0.0.1"));
    CHECK_FALSE(lints("url: redis://localhost"));
}

TEST_CASE("redis settings: printed without secrets, and loads again without them", "[settings]")
{
    ::setenv("GW_TEST_REDIS_PASSWORD", "hunter2-hunter2", 1);
    const std::string secret = print_settings(settings_of(
        with("url: 'rediss://u:${env:GW_TEST_REDIS_PASSWORD}@h/2', "
             "sentinel: { master: m, nodes: ['s:1'], password: '${env:GW_TEST_REDIS_PASSWORD}' }")));
    CHECK_THAT(secret, !Catch::Contains("hunter2"));
    CHECK_THAT(secret,
               Catch::Contains("rediss://u:********@h:6379/2") && Catch::Contains("password: \"********\""));

    const std::string open = print_settings(settings_of(with(
        "url: 'rediss://[::1]:7/2', sentinel: { master: m, nodes: ['[::1]:1', s] }, command_timeout: 7ms, "
        "connect_timeout: 2s, tls: { ca: a, certificate: b, key: c }, key_prefix: p")));
    CHECK(print_settings(settings_of(open)) == open);
    CHECK_THAT(open, Catch::Contains("\"[::1]:1\"") && Catch::Contains("s:26379") &&
                         Catch::Contains("command_timeout: 7ms"));
}
