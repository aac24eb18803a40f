// The compiled routes: precedence of hosts, segments and methods, and what a limit looks like once compiled.
#include "request/route_table.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <stdexcept>

using namespace gw;
using http1::Method;

namespace {

Route route(std::string id, std::string host, std::string path, std::vector<std::string> methods = {})
{
    Route made;
    made.id = std::move(id);
    made.host = std::move(host);
    made.path = std::move(path);
    made.method_names = std::move(methods);
    return made;
}

// The id of the route that wins, "405 <allow>", or "404".
std::string winner(const RouteTable& routes, std::string_view host, std::string_view path,
                   Method method = Method::get, std::string_view text = "GET")
{
    const RouteMatch match = routes.match(host, path, method, text);
    if (match.route != nullptr)
        return match.route->id;
    return match.allow != nullptr ? "405 " + *match.allow : "404";
}

LimitPolicy bucket(std::string name, std::uint64_t count, Duration period, std::uint64_t burst)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.rate_count = count;
    policy.rate_period = period;
    policy.burst = burst;
    return policy;
}

LimitPolicy quota(std::string name, std::uint64_t count, QuotaPeriod period)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota = count;
    policy.quota_period = period;
    return policy;
}

} // namespace

TEST_CASE("route_table: an empty table matches nothing", "[request]")
{
    CHECK(winner(RouteTable{}, "a", "/") == "404");
    CHECK(winner(RouteTable::compile({}), "a", "/") == "404");
    CHECK(RouteTable{}.routes().empty());
}

TEST_CASE("route_table: a segment is tried as literal, {param}, * and ** in this order", "[request]")
{
    const RouteTable routes = RouteTable::compile({
        route("rest", "", "/v1/**"),
        route("any", "", "/v1/*/b"),
        route("parameter", "", "/v1/{x}/c"),
        route("literal", "", "/v1/a/d"),
        route("root", "", "/"),
    });
    auto [path, expected] = GENERATE(table<std::string, std::string>({
        {"/", "root"},
        {"/v1", "rest"},
        {"/v1/", "rest"},
        {"/v1/a", "rest"},
        {"/v1/a/d", "literal"},
        {"/v1/a/c", "parameter"}, // back from the literal
        {"/v1/a/b", "any"},       // back from the literal and from {x}
        {"/v1/a/z", "rest"},
        {"/v1/a/d/", "rest"},
        {"/v1//b", "rest"},
        {"/v2", "404"},
        {"/v1x", "404"},
        {"*", "404"},
        {"", "404"},
    }));
    INFO(path);
    CHECK(winner(routes, "any.example", path) == expected);
}

TEST_CASE("route_table: an earlier segment decides before a later one", "[request]")
{
    const RouteTable routes =
        RouteTable::compile({route("open", "", "/{x}/**"), route("closed", "", "/*/b/c")});
    CHECK(winner(routes, "", "/a/b/c") == "open");
}

TEST_CASE("route_table: the exact host goes before wildcards, the longer wildcard before the shorter",
          "[request]")
{
    const RouteTable routes = RouteTable::compile({
        route("none", "", "/**"),
        route("wide", "*.example.com", "/**"),
        route("narrow", "*.eu.example.com", "/**"),
        route("exact", "api.example.com", "/v1"),
    });
    auto [host, path, expected] = GENERATE(table<std::string, std::string, std::string>({
        {"api.example.com", "/v1", "exact"},
        {"API.Example.COM", "/v1", "exact"},
        {"api.example.com.", "/v1", "exact"},
        {"api.example.com", "/v2", "wide"}, // the exact host has no such path
        {"a.b.example.com", "/", "wide"},
        {"x.eu.example.com", "/", "narrow"},
        {"eu.example.com", "/", "wide"},
        {"example.com", "/", "none"},
        {".example.com", "/", "none"},
        {"badexample.com", "/", "none"},
        {"", "/", "none"},
        {"[::1]", "/", "none"},
    }));
    INFO(host << path);
    CHECK(winner(routes, host, path) == expected);
    CHECK(winner(routes, std::string(300, 'a') + ".example.com", "/") == "none");
}

TEST_CASE("route_table: a declared host is compared without case", "[request]")
{
    const RouteTable routes = RouteTable::compile({route("exact", "API.example.com", "/")});
    CHECK(winner(routes, "api.EXAMPLE.com", "/") == "exact");
    CHECK(winner(routes, "example.com", "/") == "404");
}

TEST_CASE("route_table: a method that the winning path lacks is 405, never a broader route", "[request]")
{
    const RouteTable routes = RouteTable::compile({
        route("read", "", "/orders/{id}", {"GET"}),
        route("write", "", "/orders/{id}", {"PUT", "DELETE"}),
        route("broad", "", "/**"),
    });
    CHECK(winner(routes, "", "/orders/7") == "read");
    CHECK(winner(routes, "", "/orders/7", Method::put, "PUT") == "write");
    CHECK(winner(routes, "", "/orders/7", Method::post, "POST") == "405 GET, HEAD, PUT, DELETE");
    CHECK(winner(routes, "", "/orders/7", Method::other, "PURGE") == "405 GET, HEAD, PUT, DELETE");
    CHECK(winner(routes, "", "/orders", Method::post, "POST") == "broad");
}

TEST_CASE("route_table: the 405 of an exact host is not answered by a wildcard host", "[request]")
{
    const RouteTable routes = RouteTable::compile({
        route("exact", "api.example.com", "/a", {"GET"}),
        route("none", "", "/a"),
    });
    CHECK(winner(routes, "api.example.com", "/a", Method::post, "POST") == "405 GET, HEAD");
}

TEST_CASE("route_table: HEAD is served by the GET route unless one declares it", "[request]")
{
    const RouteTable routes = RouteTable::compile({
        route("get", "", "/a", {"GET"}),
        route("get-b", "", "/b", {"GET"}),
        route("head-b", "", "/b", {"HEAD"}),
        route("post", "", "/c", {"POST"}),
    });
    CHECK(winner(routes, "", "/a", Method::head, "HEAD") == "get");
    CHECK(winner(routes, "", "/b", Method::head, "HEAD") == "head-b");
    CHECK(winner(routes, "", "/c", Method::head, "HEAD") == "405 POST");
}

TEST_CASE("route_table: a method of no name of ours is matched by its text", "[request]")
{
    const RouteTable routes =
        RouteTable::compile({route("a", "", "/a", {"PURGE", "GET"}), route("b", "", "/a", {"LINK"})});
    CHECK(winner(routes, "", "/a", Method::other, "PURGE") == "a");
    CHECK(winner(routes, "", "/a", Method::other, "LINK") == "b");
    CHECK(winner(routes, "", "/a", Method::other, "purge") == "405 GET, HEAD, PURGE, LINK");
}

TEST_CASE("route_table: a tie cannot be compiled", "[request]")
{
    const auto compile = [](std::vector<std::string> first, std::vector<std::string> second) {
        return RouteTable::compile({route("a", "H.example", "/{x}", std::move(first)),
                                    route("b", "h.example", "/{y}", std::move(second))});
    };
    CHECK_THROWS_AS(compile({}, {}), std::logic_error);
    CHECK_THROWS_AS(compile({"GET"}, {}), std::logic_error);
    CHECK_THROWS_AS(compile({}, {"GET"}), std::logic_error);
    CHECK_THROWS_AS(compile({"GET", "PUT"}, {"PUT"}), std::logic_error);
    CHECK_THROWS_AS(compile({"PURGE"}, {"PURGE"}), std::logic_error);
    CHECK_NOTHROW(compile({"GET"}, {"PUT"}));
    CHECK_THROWS_AS(RouteTable::compile({route("a", "", "no-slash")}), std::logic_error);
}

TEST_CASE("route_table: routes keep their order and get dense indices", "[request]")
{
    RouteTable original = RouteTable::compile({route("a", "", "/a", {"GET"}), route("b", "", "/b")});
    const RouteTable moved = std::move(original);
    REQUIRE(moved.routes().size() == 2);
    CHECK(moved.routes()[1].id == "b");
    CHECK(moved.routes()[1].index == 1);
    CHECK(moved.routes()[0].methods == std::vector<Method>{Method::get});
    CHECK(moved.match("", "/b", Method::get, "GET").route == &moved.routes()[1]);
}

TEST_CASE("route_table: many siblings are all found", "[request]")
{
    std::vector<Route> declared;
    for (int i = 0; i < 500; ++i)
        declared.push_back(route("r" + std::to_string(i), "", "/api/resource-" + std::to_string(i) + "/**"));
    const RouteTable routes = RouteTable::compile(std::move(declared));
    for (int i = 0; i < 500; ++i)
        REQUIRE(winner(routes, "", "/api/resource-" + std::to_string(i) + "/x") == "r" + std::to_string(i));
    CHECK(winner(routes, "", "/api/resource-500/x") == "404");
}

TEST_CASE("route_table: a path of thousands of segments costs no stack", "[request]")
{
    const RouteTable routes = RouteTable::compile({route("all", "", "/{a}/{b}/**")});
    std::string path;
    for (int i = 0; i < 100'000; ++i)
        path += "/a";
    CHECK(winner(routes, "", path) == "all");
}

TEST_CASE("route_table: a match among 50 routes takes well under a microsecond", "[request][measured]")
{
    std::vector<Route> declared;
    for (int i = 0; i < 50; ++i)
        declared.push_back(route("r" + std::to_string(i), i % 2 != 0 ? "api.example.com" : "",
                                 "/v1/resource" + std::to_string(i) + "/{id}/items/**", {"GET", "POST"}));
    const RouteTable routes = RouteTable::compile(std::move(declared));

    constexpr int k_rounds = 200'000;
    std::size_t found = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < k_rounds; ++i)
        found += routes.match("api.example.com", "/v1/resource33/12345/items/9", Method::get, "GET").route !=
                 nullptr;
    const auto each =
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start) / k_rounds;
    CHECK(found == k_rounds);
    INFO(each.count() << " ns");
#ifdef NDEBUG
    CHECK(each.count() < 500);
#else
    CHECK(each.count() < 20'000);
#endif
}

TEST_CASE("compile_policy: the item tells quota and window as the draft has them", "[request]")
{
    using std::chrono::minutes;
    using std::chrono::seconds;
    auto [policy, item] = GENERATE(table<LimitPolicy, std::string>({
        {bucket("burst", 60, minutes{1}, 20), "\"burst\";q=20;w=20"},
        {bucket("orders", 100, minutes{1}, 50), "\"orders\";q=50;w=30"},
        {bucket("fast", 100, seconds{1}, 100), "\"fast\";q=100;w=1"},
        {bucket("tiny", 1000, seconds{1}, 1), "\"tiny\";q=1;w=1"},
        {bucket("odd", 3, seconds{10}, 10), "\"odd\";q=10;w=34"},
        {bucket("huge", 1, std::chrono::hours{24}, 1'000'000'000'000),
         "\"huge\";q=1000000000000;w=86400000000000000"},
        {quota("hour", 10, QuotaPeriod::hour), "\"hour\";q=10;w=3600"},
        {quota("day", 5000, QuotaPeriod::day), "\"day\";q=5000;w=86400"},
        {quota("month", 1000, QuotaPeriod::month), "\"month\";q=1000;w=2592000"},
    }));
    CHECK(compile_policy(policy, "plan", "free").policy_item == item);
    CHECK(compile_policy(policy, "plan", "free").policy == policy);
}

TEST_CASE("compile_policy: a shadow policy shows nothing to the caller", "[request]")
{
    LimitPolicy policy = bucket("burst", 60, std::chrono::minutes{1}, 20);
    policy.enforce = false;
    CHECK(compile_policy(policy, "plan", "free").policy_item.empty());
}

TEST_CASE("compile_policy: a counter is known by where, whose and which, not by its figures", "[request]")
{
    const LimitPolicy policy = bucket("burst", 60, std::chrono::minutes{1}, 20);
    LimitPolicy changed = policy;
    changed.burst = 30;
    LimitPolicy renamed = policy;
    renamed.name = "other";
    const Identity128 id = compile_policy(policy, "plan", "free").id;
    CHECK(id == identity_of({"plan", "free", "burst"}));
    CHECK(compile_policy(changed, "plan", "free").id == id);
    CHECK(compile_policy(renamed, "plan", "free").id != id);
    CHECK(compile_policy(policy, "route", "free").id != id);
    CHECK(compile_policy(policy, "plan", "standard").id != id);
}
