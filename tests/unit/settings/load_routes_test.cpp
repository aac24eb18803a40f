// Loading scopes, plans, upstreams, routes and their limits: mistakes with their exact places, and what is
// read.
#include "problems_of.hpp"

using namespace gw;
using Lines = std::vector<std::string>;

namespace {

// A route in flow form with `parts` after its id, path and upstream; they begin in column 64 of line 4.
std::string with_route(const std::string& parts)
{
    return "version: 1\nupstreams: { u: { targets: [\"http://127.0.0.1:1\"] } }\nroutes:\n"
           "  - { id: r, upstream: u, match: { path: /a, methods: [GET] }, " +
           parts + " }\n";
}

} // namespace

TEST_CASE("load routes: a mistake in scopes, plans or upstreams is told at its place", "[settings]")
{
    auto [body, start] = GENERATE(table<std::string, std::string>({
        {"scopes: { orders: Read }\n", "2:11: scopes.orders: not a scope"},
        {"scopes: { \"orders:*\": Read }\n", "2:11: scopes.orders:*: not a scope"},
        {"scopes: { \"platform:keys\": Keys }\n", "2:11: scopes.platform:keys: the resource `platform`"},
        {"scopes: [a]\n", "2:9: scopes: expected a mapping"},
        {"plans: { a b: {} }\n", "2:10: plans.a b: `a b` is not an id"},
        {"plans: { a: {}, a: {} }\n", "2:17: plans.a: stands twice"},
        {"plans: { a: { limit: [] } }\n", "2:15: plans.a.limit: unknown key; did you mean `limits`?"},
        {"upstreams: { u: {} }\n", "2:17: upstreams.u.targets: missing"},
        {"upstreams: { u: { targets: [] } }\n", "2:28: upstreams.u.targets: needs one target"},
        {"upstreams: { u: { targets: [\"http://a\", \"http://b\"] } }\n",
         "2:41: upstreams.u.targets[1]: several targets are not built yet"},
        {"upstreams: { u: { targets: [\"https://a\"] } }\n",
         "2:29: upstreams.u.targets[0]: `https://a`: TLS to upstreams is not built yet"},
        {"upstreams: { u: { targets: [\"http://a/b\"] } }\n",
         "2:29: upstreams.u.targets[0]: `http://a/b` is not a target"},
        {"upstreams: { u: { targets: [\"a:80\"] } }\n",
         "2:29: upstreams.u.targets[0]: `a:80` is not a target"},
        {"upstreams: { u: { targets: [\"http://a:0\"] } }\n",
         "2:29: upstreams.u.targets[0]: `http://a:0` is not a target"},
        {"upstreams: { u: { targets: [\"http://a\"], balance: x } }\n",
         "2:42: upstreams.u.balance: not built yet"},
        {"upstreams: { u: { targets: [\"http://a\"], health: {} } }\n",
         "2:42: upstreams.u.health: not built yet"},
        {"upstreams: { u: { targets: [\"http://a\"], retries: 1 } }\n",
         "2:51: upstreams.u.retries: retries are not built yet"},
        {"upstreams: { u: { targets: [\"http://a\"], timeouts: { tunnel_idle: 1h } } }\n",
         "2:54: upstreams.u.timeouts.tunnel_idle: not built yet"},
        {"routes: {}\n", "2:9: routes: expected a list, found a mapping"},
        {"routes: [x]\n", "2:10: routes[0]: expected a mapping, found a single value"},
    }));
    INFO(body);
    const Lines lines = load_problems("version: 1\n" + body);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::StartsWith(start));
}

TEST_CASE("load routes: a mistake in a route is told at its place", "[settings]")
{
    auto [parts, start] = GENERATE(table<std::string, std::string>({
        {"nonsense: 1", "4:64: routes[0].nonsense: unknown key"},
        {"scope: [a:b]", "4:64: routes[0].scope: unknown key; did you mean `scopes`?"},
        {"websocket: true", "4:64: routes[0].websocket: not built yet"},
        {"auth: nope",
         "4:70: routes[0].auth: `nope` is not one of required, optional or none; did you mean `none`?"},
        {"scopes: [\"orders:*\"]", "4:73: routes[0].scopes[0]: `orders:*` is not a scope"},
        {"scopes: [\"a:b\", \"a:b\"]", "4:80: routes[0].scopes[1]: stands twice in this list"},
        {"scopes: orders:read", "4:72: routes[0].scopes: expected a list"},
        {"environments: [prod]", "4:79: routes[0].environments[0]: `prod` is not one of live or test"},
        {"tenants: [Acme]", "4:74: routes[0].tenants[0]: `Acme` is not a tenant"},
        {"cost: 0", "4:70: routes[0].cost: `0` is not a whole number from 1 to 1000000"},
        {"body_bytes: 1", "4:76: routes[0].body_bytes: `1` is not a size"},
        {"strip_credentials: no", "4:83: routes[0].strip_credentials: `no` is neither"},
        {"credentials: [basic]", "4:78: routes[0].credentials[0]: `basic` is not one of"},
        {"limits: [{ rate: 1/s }]", "4:73: routes[0].limits[0].name: missing; write `name: burst`"},
        {"limits: [{ name: A, rate: 1/s }]", "4:81: routes[0].limits[0].name: `A` is not a name of a limit"},
        {"limits: [{ name: a }]", "4:73: routes[0].limits[0]: needs a `rate` (such as 60/m), a `quota` (such as 5000/d) or a `concurrency`"},
        {"limits: [{ name: a, rate: 1/s, quota: 1/d }]",
         "4:102: routes[0].limits[0].quota: a limit has either"},
        {"limits: [{ name: a, quota: 1/d, burst: 1 }]",
         "4:103: routes[0].limits[0].burst: belongs to a `rate`"},
        {"limits: [{ name: a, rate: 100 }]", "4:90: routes[0].limits[0].rate: `100` is not a rate"},
        {"limits: [{ name: a, rate: 0/s }]", "4:90: routes[0].limits[0].rate: `0/s` admits nothing"},
        {"limits: [{ name: a, rate: 1000001/s }]",
         "4:90: routes[0].limits[0].rate: `1000001/s` is out of range"},
        {"limits: [{ name: a, rate: 5/mo }]",
         "4:90: routes[0].limits[0].rate: `5/mo` is not a rate; write a count and its period, such as 100/s, "
         "60/m or 5/10s; a `quota` counts"},
        {"limits: [{ name: a, quota: 5/m }]",
         "4:91: routes[0].limits[0].quota: `5/m` is not a quota; write a count and a calendar period, such "
         "as 10/h, 5000/d or 1000/mo; shorter"},
        {"limits: [{ name: a, quota: 0/d }]", "4:91: routes[0].limits[0].quota: `0/d` is out of range"},
        {"limits: [{ name: a, rate: 1/s, burst: 0 }]",
         "4:102: routes[0].limits[0].burst: `0` is not a whole number from 1"},
        {"limits: [{ name: a, rate: 1/s, per: user }]",
         "4:100: routes[0].limits[0].per: `user` is not one of key, owner, tenant, ip or route"},
        {"limits: [{ name: a, rate: 1/s, enforce: 1 }]",
         "4:104: routes[0].limits[0].enforce: `1` is neither"},
        {"limits: [{ name: a, rate: 1/s, concurrency: 1 }]",
         "4:108: routes[0].limits[0].concurrency: a limit has either"},
        {"limits: [{ name: a, concurrency: 1, burst: 1 }]",
         "4:107: routes[0].limits[0].burst: belongs to a `rate`"},
        {"limits: [{ name: a, concurrency: 0 }]",
         "4:97: routes[0].limits[0].concurrency: `0` is not a whole number from 1"},
    }));
    INFO(parts);
    const Lines lines = load_problems(with_route(parts));
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::StartsWith(start));
}

TEST_CASE("load routes: a route without its needed keys lacks each of them", "[settings]")
{
    CHECK(load_problems("version: 1\nroutes:\n  - auth: none\n  - { id: a b, match: { methods: [get] }, "
                        "upstream: u }\n") ==
          Lines{"3:5: routes[0].id: missing; write `id: orders-read`",
                "3:5: routes[0].match: missing; write `match: { path: /v1/orders/** }`",
                "3:5: routes[0].upstream: missing; write `upstream: orders`",
                "4:11: routes[1].id: `a b` is not an id: [A-Za-z0-9][A-Za-z0-9._-]{0,63}",
                "4:23: routes[1].match.path: missing; write `path: /v1/orders/**`",
                "4:35: routes[1].match.methods[0]: `get` is not one of GET, HEAD, POST, PUT, DELETE, PATCH "
                "or OPTIONS; "
                "did you mean `GET`?"});
}

TEST_CASE("load routes: a mistake in what a route matches is told at its place", "[settings]")
{
    auto [match, start] = GENERATE(table<std::string, std::string>({
        {"path: orders", "2:47: routes[0].match.path: `orders` must start with `/`"},
        {"path: /a/**/b", "2:47: routes[0].match.path: `/a/**/b` has `**` before its end"},
        {"path: /a, host: \"a:80\"", "2:57: routes[0].match.host: `a:80` has a port"},
        {"path: /a, host: \"a.*.b\"", "2:57: routes[0].match.host: `a.*.b`: a wildcard is the first label"},
        {"path: /a, host: a_/b", "2:57: routes[0].match.host: `a_/b` is not a host"},
        {"path: /a, methods: []", "2:60: routes[0].match.methods: names no method"},
        {"path: /a, methods: [TRACE]", "2:61: routes[0].match.methods[0]: `TRACE` is not one of"},
        {"path: /a, hosts: b", "2:51: routes[0].match.hosts: unknown key; did you mean `host`?"},
    }));
    INFO(match);
    const Lines lines =
        load_problems("version: 1\nroutes: [{ id: r, upstream: u, match: { " + match + " } }]\n");
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::StartsWith(start));
}

TEST_CASE("load routes: every value reaches its member", "[settings]")
{
    const Settings settings = settings_of(R"(version: 1
scopes: { "orders:read": Read orders, "orders:write": "" }
plans:
  free: { limits: [{ name: burst, rate: 60/m, burst: 20 }, { name: day, quota: 5000/d, per: tenant }] }
  none: {}
upstreams:
  b: { targets: ["http://[::1]:9001/"], timeouts: { connect: 50ms, first_byte: 2s, idle: 3s }, keep_alive: 0, retries: 0 }
  a: { targets: [http://orders.internal] }
routes:
  - id: one
    match: { host: "*.Example.com", path: "/v1/{id}/**", methods: [GET, POST] }
    auth: optional
    scopes: [orders:read]
    any_scope: [orders:write, orders:read]
    environments: [test, live]
    tenants: [acme]
    cost: 3
    credentials: [query:key]
    strip_credentials: false
    body_bytes: 1MiB
    limits: [{ name: x, rate: 5/10s, enforce: false, on_outage: closed, exact: true, per: route }]
    upstream: b
)");
    CHECK(settings.scopes.at("orders:read") == "Read orders");
    REQUIRE(settings.plans.size() == 2);
    CHECK(settings.plans[0].id == "free");
    CHECK(settings.plans[0].limits[0].burst == 20);
    CHECK(settings.plans[0].limits[0].rate_count == 60);
    CHECK(settings.plans[0].limits[0].per == CountedPer::key);
    CHECK(settings.plans[0].limits[1].kind == LimitPolicy::Kind::quota);
    CHECK(settings.plans[0].limits[1].quota == 5000);
    CHECK(settings.plans[0].limits[1].per == CountedPer::tenant);
    REQUIRE(settings.upstreams.size() == 2);
    CHECK(settings.upstreams[0].id == "b");
    CHECK(settings.upstreams[0].targets[0].host == "::1");
    CHECK(settings.upstreams[0].targets[0].port == 9001);
    CHECK(settings.upstreams[0].timeouts.connect == std::chrono::milliseconds{50});
    CHECK(settings.upstreams[0].timeouts.first_byte == std::chrono::seconds{2});
    CHECK(settings.upstreams[0].timeouts.idle == std::chrono::seconds{3});
    CHECK(settings.upstreams[0].keep_alive == 0);
    CHECK(settings.upstreams[1].targets[0].host == "orders.internal");
    CHECK(settings.upstreams[1].targets[0].port == 80);
    REQUIRE(settings.routes.size() == 1);
    const RouteSettings& route = settings.routes[0];
    CHECK(route.host == "*.example.com");
    CHECK(route.path == "/v1/{id}/**");
    CHECK(route.methods == Lines{"GET", "POST"});
    CHECK(route.auth == AuthMode::optional);
    CHECK(route.scopes == Lines{"orders:read"});
    CHECK(route.any_scope == Lines{"orders:write", "orders:read"});
    CHECK(route.environments == std::vector<Environment>{Environment::test, Environment::live});
    CHECK(route.tenants == Lines{"acme"});
    CHECK(route.cost == 3);
    CHECK(route.credentials == std::vector<CredentialSource>{{CredentialSource::Kind::query, "key"}});
    CHECK(route.strip_credentials == false);
    CHECK(route.body_bytes == 1048576u);
    REQUIRE(route.limits.size() == 1);
    CHECK(route.limits[0].burst == 5); // the rate's count
    CHECK(route.limits[0].rate_period == std::chrono::seconds{10});
    CHECK_FALSE(route.limits[0].enforce);
    CHECK(route.limits[0].on_outage == OnOutage::closed);
    CHECK(route.limits[0].exact);
    CHECK(route.limits[0].per == CountedPer::route);
    CHECK(route.mark == SourceMark{10, 5});
}
