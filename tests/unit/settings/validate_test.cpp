// Rules between fields, each with the place where it is told.
#include "problems_of.hpp"

using namespace gw;
using Lines = std::vector<std::string>;

namespace {

// Two scopes, a plan and an upstream on lines 2 to 4; `body` begins on line 5.
std::string with_names(const std::string& body)
{
    return "version: 1\n"
           "scopes: { \"orders:read\": Read, \"orders:write\": Write }\n"
           "plans: { free: { limits: [{ name: burst, rate: 60/m, burst: 20 }] } }\n"
           "upstreams: { orders: { targets: [\"http://127.0.0.1:9001\"] } }\n" +
           body;
}

// One route a line below `routes:` on line 5, each asking for a scope and going to `orders`.
std::string with_routes(const Lines& routes)
{
    std::string body = "routes:\n";
    for (std::size_t i = 0; i < routes.size(); ++i)
        body += "  - { id: r" + std::to_string(i) + ", scopes: [orders:read], upstream: orders, " +
                routes[i] + " }\n";
    return with_names(body);
}

// Without the places: those are tested one by one.
Lines messages(const std::string& text)
{
    Lines all;
    for (const Problem& problem : validated(load_settings_text(text, "gateway.yaml")).problems)
        all.push_back(problem.path + ": " +
                      (problem.severity == Problem::Severity::warning ? "warning: " : "") + problem.message);
    return all;
}

void check_one(const std::string& text, const std::string& start)
{
    const Lines lines = all_problems(text);
    INFO(text);
    for (const std::string& line : lines)
        UNSCOPED_INFO(line);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], Catch::StartsWith(start));
}

} // namespace

TEST_CASE("validate: a sound configuration has no problem", "[settings]")
{
    CHECK(all_problems(with_routes(
              {"match: { path: /a }", "match: { path: /b }, limits: [{ name: x, rate: 1/s }]"})) == Lines{});
}

TEST_CASE("validate: general sections are held against each other", "[settings]")
{
    auto [body, start] = GENERATE(table<std::string, std::string>({
        {"gateway: { listen: [{ address: \"127.0.0.1:80\" }, { address: \"127.0.0.1:80\" }] }\n",
         "6:61: gateway.listen[1].address: clashes with gateway.listen[0].address on port 80"},
        {"admin: { listen: [{ address: \"127.0.0.1:8080\" }] }\n",
         "6:30: admin.listen[0].address: clashes with gateway.listen[0].address on port 8080"},
        {"admin: { listen: [{ address: \"10.0.0.1:8081\" }] }\n",
         "6:30: admin.listen[0].address: warning: the admin listener is reachable from other machines "
         "without TLS"},
        {"gateway: { trusted_proxies: [0.0.0.0/0] }\n",
         "6:29: gateway.trusted_proxies: warning: trusts every address"},
        {"gateway: { trusted_proxies: [\"::/0\"] }\n",
         "6:29: gateway.trusted_proxies: warning: trusts every address"},
        {"gateway: { credentials: [] }\n", "6:25: gateway.credentials: no credential source"},
        {"gateway: { credentials: [bearer, bearer] }\n", "6:25: gateway.credentials: the same source twice"},
        {"gateway: { credentials: [query:key] }\n", "6:25: gateway.credentials: warning: keys in the query"},
        {"keys: { bcrypt_cost: 8 }\n", "6:22: keys.bcrypt_cost: warning: below 10"},
        {"keys: { max_age: 30d }\n", "6:18: keys.max_age: warning: shorter than keys.rotate_after"},
    }));
    check_one(with_names("routes: []\n" + body), start);
}

TEST_CASE("validate: sockets that do not clash are let be", "[settings]")
{
    const std::string listen = GENERATE("{ address: \"127.0.0.1:0\" }, { address: \"127.0.0.1:0\" }",
                                        "{ address: \"0.0.0.0:80\" }, { address: \"[::]:80\" }",
                                        "{ address: \"127.0.0.1:80\" }, { address: \"127.0.0.2:80\" }");
    CHECK(all_problems(with_names("routes: []\ngateway: { listen: [" + listen + "] }\n")) == Lines{});
}

TEST_CASE("validate: without routes there is a warning", "[settings]")
{
    CHECK(messages("version: 1\n") ==
          Lines{"routes: warning: no routes: every request is answered with 404"});
}

TEST_CASE("validate: a route is held against what it names", "[settings]")
{
    auto [route, start] = GENERATE(table<std::string, std::string>({
        {"id: r, upstream: ordres, scopes: [orders:read]",
         "6:24: routes[0].upstream: there is no upstream `ordres`; did you mean `orders`?"},
        {"id: r, upstream: orders, scopes: [orders:reed]",
         "6:41: routes[0].scopes[0]: `orders:reed` is not declared under `scopes`; did you mean `orders:read`?"},
        {"id: r, upstream: orders, any_scope: [x:y]",
         "6:44: routes[0].any_scope[0]: `x:y` is not declared under `scopes`"},
        {"id: r, upstream: orders, scopes: [platform:keys]",
         "6:41: routes[0].scopes[0]: `platform:keys`: management keys are refused on every route"},
        {"id: r, upstream: orders", "6:5: routes[0]: warning: asks for no scopes"},
        {"id: r, upstream: orders, auth: none", "6:38: routes[0].auth: warning: open to everyone"},
        {"id: r, upstream: orders, scopes: [orders:read], environments: []",
         "6:69: routes[0].environments: no environment"},
        {"id: r, upstream: orders, scopes: [orders:read], credentials: []",
         "6:68: routes[0].credentials: no credential source"},
        {"id: r, upstream: orders, scopes: [orders:read], cost: 21",
         "6:61: routes[0].cost: warning: more than a limit of the plan `free` holds"},
        {"id: r, upstream: orders, scopes: [orders:read], cost: 5, limits: [{ name: a, rate: 1/s, burst: 4 "
         "}]",
         "6:73: routes[0].limits[0]: can never admit a request of cost 5; it holds at most 4"},
        {"id: r, upstream: orders, scopes: [orders:read], cost: 5, limits: [{ name: a, quota: 4/d }]",
         "6:73: routes[0].limits[0]: can never admit"},
        {"id: r, upstream: orders, scopes: [orders:read], limits: [{ name: a, rate: 1/s }, { name: a, rate: "
         "2/s }]",
         "6:96: routes[0].limits[1].name: `a` names another limit of this list too"},
        {"id: r, upstream: orders, scopes: [orders:read], limits: [{ name: a, rate: 1/d, burst: 367 }]",
         "6:64: routes[0].limits[0]: a bucket of this burst takes more than a year"},
    }));
    check_one(with_names("routes:\n  - { " + route + ", match: { path: /a } }\n"), start);
}

TEST_CASE("validate: a shadow limit may be smaller than the cost", "[settings]")
{
    CHECK(all_problems(with_routes(
              {"match: { path: /a }, cost: 5, limits: [{ name: a, rate: 1/s, enforce: false }]"})) ==
          Lines{});
}

TEST_CASE("validate: more than eight limits are refused, in plans too", "[settings]")
{
    std::string nine;
    for (int i = 0; i < 9; ++i)
        nine += "{ name: l" + std::to_string(i) + ", rate: 1/s }, ";
    check_one(with_routes({"match: { path: /a }, limits: [" + nine + "]"}),
              "6:85: routes[0].limits: has 9 limits");
    check_one("version: 1\nroutes: []\nplans: { p: { limits: [" + nine + "] } }\n",
              "3:23: plans.p.limits: has 9 limits");
}

TEST_CASE("validate: an open route cannot ask who calls", "[settings]")
{
    const Lines lines =
        messages(with_names("routes:\n"
                            "  - id: r\n"
                            "    match: { path: /a }\n"
                            "    auth: none\n"
                            "    scopes: [orders:read]\n"
                            "    tenants: [acme]\n"
                            "    limits: [{ name: a, rate: 1/s }, { name: b, rate: 1/s, per: ip }]\n"
                            "    upstream: orders\n"));
    CHECK(lines ==
          Lines{"routes[0].auth: warning: open to everyone: no key is asked for",
                "routes[0].scopes: scopes are never checked beside `auth: none`",
                "routes[0].tenants: tenants are never checked beside `auth: none`",
                "routes[0].limits[0]: counted per key, which nobody has beside `auth: none`; count per ip or "
                "route"});
}

TEST_CASE("validate: two routes of one id are refused", "[settings]")
{
    check_one(with_names("routes:\n"
                         "  - { id: a, match: { path: /a }, scopes: [orders:read], upstream: orders }\n"
                         "  - { id: a, match: { path: /b }, scopes: [orders:read], upstream: orders }\n"),
              "7:11: routes[1].id: `a` is the id of routes[0] too");
}

TEST_CASE("validate: routes that tie are refused", "[settings]")
{
    auto [first, second, ties] = GENERATE(table<std::string, std::string, std::string>({
        {"path: \"/a/{x}\"", "path: \"/a/{y}\"", "every method"},
        {"path: /a", "path: /a, methods: [GET]", "GET"},
        {"path: /a, methods: [GET, PUT]", "path: /a, methods: [PUT]", "PUT"},
        {"path: /a, host: A.example", "path: /a, host: a.example", "every method"},
        {"path: /a, methods: [GET]", "path: /a, methods: [HEAD]", ""},
        {"path: /a, host: a.example", "path: /a", ""},
        {"path: /a", "path: /a/", ""},
        {"path: /a/*", "path: /a/**", ""},
    }));
    const Lines lines = messages(with_routes({"match: { " + first + " }", "match: { " + second + " }"}));
    INFO(first << " and " << second);
    CHECK(lines == (ties.empty()
                        ? Lines{}
                        : Lines{"routes[1].match.path: ties with the route `r0`: the same host and path, and "
                                "both take " +
                                ties}));
}

TEST_CASE("validate: a tie is told at the later route's path", "[settings]")
{
    check_one(with_routes({"match: { path: /a }", "match: { path: /a }"}),
              "7:71: routes[1].match.path: ties with");
}

TEST_CASE("validate: a route that others shadow is a warning", "[settings]")
{
    CHECK(messages(with_routes(
              {"match: { path: /a/*, methods: [POST] }", "match: { path: \"/a/{x}\", methods: [GET] }"})) ==
          Lines{"routes[0].match.path: warning: never reached: the route `r1` goes before it"});
    CHECK(messages(with_routes({"match: { path: /a/*, host: a.example }", "match: { path: \"/a/{x}\" }"})) ==
          Lines{});
}

TEST_CASE("validate: what loading found wrong is not told a second time", "[settings]")
{
    // Host and methods that could not be read are no tie, a list that could not be read is not an empty one.
    CHECK(all_problems(
              with_routes({"match: { path: /a }", "match: { path: /a, host: \"a:1\" }",
                           "match: { path: /a, methods: [get] }", "match: { path: /b }, credentials: [x]",
                           "match: { path: /c }, environments: [x]"}))
              .size() == 4);
    CHECK(messages(with_names("routes: [{ id: r, match: { path: /a }, auth: nope, upstream: orders }]\n"))
              .size() == 1);
    CHECK(messages(with_names("routes: 5\n")).size() == 1);
}

TEST_CASE("validate: warnings alone leave a configuration usable", "[settings]")
{
    const Loaded loaded = validated(load_settings_text("version: 1\n", "x"));
    CHECK(loaded.ok());
    CHECK(loaded.problems.size() == 1);
}
