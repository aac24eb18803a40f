// Strict reading of bodies.
#include "admin/json.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace gw;

namespace {

std::vector<std::string> pointers(const ApiProblem& problem)
{
    std::vector<std::string> out;
    for (const FieldError& error : problem.errors)
        out.push_back(error.pointer);
    return out;
}

} // namespace

TEST_CASE("body: what is not a JSON object is 400", "[admin]")
{
    const auto text =
        GENERATE(as<std::string>{}, "", "{", "[]", "null", "1", "{\"a\":1}x", "{\"a\":1,}", "{'a':1}",
                 "{\"a\":\"\xff\"}", "{\"a\":01}", std::string(40, '[') + std::string(40, ']'));
    const auto body = BodyObject::parse(text);
    REQUIRE_FALSE(body.has_value());
    CHECK(body.error().status == 400);
    CHECK(body.error().code == "malformed_json");
}

TEST_CASE("body: a duplicate member is 400, however it is spelled and nested", "[admin]")
{
    const auto text =
        GENERATE(as<std::string>{}, R"({"name":"a","name":"b"})", R"({"name":"a","n\u0061me":"b"})",
                 R"({"owner":{"id":"a","id":"b"}})", R"({"limits":[{"name":"a","name":"b"}]})");
    const auto body = BodyObject::parse(text);
    REQUIRE_FALSE(body.has_value());
    CHECK(body.error().status == 400);
    CHECK(body.error().code == "duplicate_member");
}

TEST_CASE("body: the same name in two objects is no duplicate", "[admin]")
{
    CHECK(BodyObject::parse(R"({"a":{"x":1},"b":{"x":1},"x":[{"x":1},{"x":2}]})").has_value());
}

TEST_CASE("create: every wrong field is named at once", "[admin]")
{
    const auto request =
        read_create_key(R"({"name":5,"tenant":"No Spaces","environment":"prod","scopes":["a",1],
        "allowed_ips":["10.0.0.1/8"],"expires_at":"tomorrow","metadata":[],"colour":"red","owner":{"id":"a b","x~/y":1}})");
    REQUIRE_FALSE(request.has_value());
    CHECK(request.error().status == 422);
    const std::vector<std::string> wanted{"/tenant",      "/name",     "/owner/id",    "/owner/x~0~1y",
                                          "/environment", "/scopes/1", "/allowed_ips", "/metadata",
                                          "/expires_at",  "/colour"};
    auto found = pointers(request.error());
    CHECK_THAT(found, Catch::UnorderedEquals(wanted));
}

TEST_CASE("create: required fields are asked for", "[admin]")
{
    const auto request = read_create_key("{}");
    REQUIRE_FALSE(request.has_value());
    CHECK(pointers(request.error()) == std::vector<std::string>{"/name", "/scopes"});
}

TEST_CASE("create: a full body becomes the request", "[admin]")
{
    const auto request =
        read_create_key(R"({"tenant":"acme","name":"billing","environment":"test","scopes":["orders:read"],
        "plan":"free","owner":{"type":"user","id":"u_81","name":"Ada"},"allowed_ips":["10.0.0.0/8","2001:db8::1"],
        "description":"d","metadata":{"team":"x"},"external_id":"e","expires_at":"2027-01-01T00:00:00Z",
        "limits":[{"name":"b","rate":"60/m","burst":20},{"name":"q","quota":"5000/mo","enforce":false},
                  {"name":"c","concurrency":7}]})");
    REQUIRE(request.has_value());
    CHECK(request->tenant.str() == "acme");
    CHECK(request->environment == Environment::test);
    CHECK(request->owner.type == "user");
    CHECK(request->owner.id.str() == "u_81");
    CHECK(request->allowed_ips.size() == 2);
    CHECK(request->metadata == R"({"team":"x"})");
    CHECK(to_rfc3339(request->expires_at.value()) == "2027-01-01T00:00:00Z");
    CHECK_FALSE(request->management);
    REQUIRE(request->limits.size() == 3);
    CHECK(request->limits[2].kind == LimitPolicy::Kind::concurrency);
    CHECK(request->limits[2].concurrency == 7);
    CHECK(request->limits[0].rate_count == 60);
    CHECK(request->limits[0].rate_period == std::chrono::minutes{1});
    CHECK(request->limits[0].burst == 20);
    CHECK(request->limits[1].kind == LimitPolicy::Kind::quota);
    CHECK(request->limits[1].quota_period == QuotaPeriod::month);
    CHECK_FALSE(request->limits[1].enforce);
}

TEST_CASE("create: platform scopes make a management key", "[admin]")
{
    CHECK(read_create_key(R"({"name":"n","scopes":["platform:keys"]})")->management);
}

TEST_CASE("limits: what is wrong with one is named", "[admin]")
{
    const auto [limit, pointer] = GENERATE(table<std::string, std::string>({
        {R"({"rate":"60/m"})", "/limits/0/name"},
        {R"({"name":"a"})", "/limits/0"},
        {R"({"name":"a","rate":"60/m","quota":"1/d"})", "/limits/0"},
        {R"({"name":"a","concurrency":5,"quota":"1/d"})", "/limits/0"},
        {R"({"name":"a","concurrency":0})", "/limits/0/concurrency"},
        {R"({"name":"a","concurrency":5,"burst":5})", "/limits/0/burst"},
        {R"({"name":"a","rate":"60"})", "/limits/0/rate"},
        {R"({"name":"a","rate":"0/s"})", "/limits/0/rate"},
        {R"({"name":"a","rate":"60/m","burst":0})", "/limits/0/burst"},
        {R"({"name":"a","rate":"60/m","burst":-1})", "/limits/0/burst"},
        {R"({"name":"a","quota":"5/y"})", "/limits/0/quota"},
        {R"({"name":"a","quota":"5/d","burst":5})", "/limits/0/burst"},
        {R"({"name":"a","quota":"5/d","per":"ip"})", "/limits/0/per"},
        {R"({"name":"a","quota":"5/d","on_outage":"never"})", "/limits/0/on_outage"},
    }));
    const auto changes = read_key_changes(R"({"limits":[)" + limit + "]}");
    REQUIRE_FALSE(changes.has_value());
    CHECK(pointers(changes.error()) == std::vector<std::string>{pointer});
}

TEST_CASE("change: absent, null and given are three things", "[admin]")
{
    const auto changes = read_key_changes(R"({"plan":null,"description":"d"})");
    REQUIRE(changes.has_value());
    CHECK_FALSE(changes->name);
    REQUIRE(changes->plan);
    CHECK_FALSE(*changes->plan);
    CHECK(changes->description->value() == "d");
    CHECK_FALSE(changes->external_id);
}

TEST_CASE("overlap: units, default and bound", "[admin]")
{
    using namespace std::chrono;
    CHECK(*read_overlap("") == hours{24});
    CHECK(*read_overlap(R"({"overlap":"0s"})") == seconds{0});
    CHECK(*read_overlap(R"({"overlap":"90m"})") == minutes{90});
    CHECK(*read_overlap(R"({"overlap":"7d"})") == days{7});
    const auto bad =
        GENERATE(as<std::string>{}, "31d", "1", "h", "1w", "-1h", "1.5h", "24 h", "99999999999s");
    const auto refused = read_overlap("{\"overlap\":\"" + bad + "\"}");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().status == 422);
}

TEST_CASE("problem document: has every member of RFC 9457 and of ours", "[admin]")
{
    const ApiProblem problem{422, "invalid_fields", "See \"errors\".", {{"/a", "is wrong"}}};
    const ApiResponse response = problem_response(problem, "/api/x", "r1");
    CHECK(response.status == 422);
    CHECK(response.type == "application/problem+json");
    const auto document = boost::json::parse(response.body);
    CHECK(document.at("type") == "urn:portcullis:problem:invalid_fields");
    CHECK(document.at("status") == 422);
    CHECK(document.at("code") == "invalid_fields");
    CHECK(document.at("instance") == "/api/x");
    CHECK(document.at("request_id") == "r1");
    CHECK(document.at("errors").at(0).at("pointer") == "/a");
}
