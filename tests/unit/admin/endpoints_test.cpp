// The endpoints over fakes, without sockets: each with its success and its refusals.
#include "admin_world.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

const std::string k_keys = "/api/v1/platform/api-keys";
const std::string k_new = R"({"tenant":"acme","name":"billing","scopes":["orders:read"]})";

std::string path_of(const ApiResponse& issued)
{
    return k_keys + "/" + std::string{object_of(issued).at("key_id").as_string()};
}

} // namespace

TEST_CASE("GET /livez, /readyz, /metrics: need no credential", "[admin]")
{
    AdminWorld world;
    world.anonymous = true;
    CHECK(world.ask("GET", "/livez").status == 200);
    CHECK(world.ask("GET", "/readyz").status == 200);
    const ApiResponse metrics = world.ask("GET", "/metrics");
    CHECK(metrics.status == 200);
    CHECK(metrics.body.find("portcullis_admin_requests_total") != std::string::npos);
}

TEST_CASE("GET /readyz: 503 with the reasons when not ready", "[admin]")
{
    AdminWorld world;
    world.readiness.ready = false;
    world.readiness.reasons = {"draining"};
    const ApiResponse response = world.ask("GET", "/readyz");
    CHECK(response.status == 503);
    CHECK(object_of(response).at("reasons").at(0) == "draining");
}

TEST_CASE("paths: unknown is 404, known with another method 405 with Allow", "[admin]")
{
    AdminWorld world;
    CHECK(world.ask("GET", "/").status == 404);
    CHECK(world.ask("GET", k_keys + "/").status == 404);
    CHECK(world.ask("GET", k_keys + "/4fQz0c9XkT2mB7aP/nothing").status == 404);
    const ApiResponse response = world.ask("PUT", k_keys);
    CHECK(response.status == 405);
    CHECK(field_of(response, "Allow") == "POST, GET, HEAD");
    CHECK(code_of(response) == "method_not_allowed");
}

TEST_CASE("every endpoint of the API: 401 without a credential and with a wrong one", "[admin]")
{
    AdminWorld world;
    for (const Endpoint& endpoint : endpoints()) {
        if (endpoint.scope.empty())
            continue;
        std::string path{endpoint.path};
        if (const auto hole = path.find("{}"); hole != std::string::npos)
            path.replace(hole, 2, "4fQz0c9XkT2mB7aP");
        const auto name = boost::beast::http::to_string(endpoint.method);
        const std::string_view method{name.data(), name.size()};
        INFO(method << ' ' << path);
        world.anonymous = true;
        const ApiResponse none = world.ask(method, path);
        CHECK(none.status == 401);
        CHECK(field_of(none, "WWW-Authenticate") == "Bearer realm=\"portcullis-admin\"");
        const ApiResponse wrong = world.ask_as(k_bootstrap + "x", method, path);
        CHECK(wrong.status == 401);
        CHECK(code_of(wrong) == "invalid_key");
        world.anonymous = false;
    }
}

TEST_CASE("authentication: X-API-Key works too, two credentials are 400", "[admin]")
{
    AdminWorld world;
    CHECK(world.ask("GET", k_keys, "", {{"X-API-Key", k_bootstrap}}).status == 400);
    world.anonymous = true;
    CHECK(world.ask("GET", k_keys, "", {{"X-API-Key", k_bootstrap}}).status == 200);
    CHECK(world.ask("GET", k_keys, "", {{"Authorization", "Basic " + k_bootstrap}}).status == 401);
}

TEST_CASE("a management key: does what its platform scopes say", "[admin]")
{
    AdminWorld world;
    const std::string path = path_of(world.ask("POST", k_keys, k_new));
    const std::string reader = world.add_management_key("acme", {"platform:keys:read"});
    CHECK(world.ask_as(reader, "GET", path).status == 200);
    const ApiResponse refused = world.ask_as(reader, "DELETE", path);
    CHECK(refused.status == 403);
    CHECK(code_of(refused) == "insufficient_scope");
    const std::string writer = world.add_management_key("acme", {"platform:keys"});
    CHECK(world.ask_as(writer, "GET", path).status == 200);
    CHECK(world.ask_as(writer, "POST", path + "/disable").status == 200);
    const std::string tenants = world.add_management_key("acme", {"platform:tenants"});
    CHECK(world.ask_as(tenants, "POST", "/api/v1/platform/tenants", R"({"id":"new"})").status == 403);
}

TEST_CASE("a management key: another tenant's key is 404 and in no list", "[admin]")
{
    AdminWorld world;
    world.world.add_tenant("other");
    const std::string path = path_of(world.ask("POST", k_keys, k_new));
    const std::string stranger = world.add_management_key("other", {"platform:keys"});
    for (const char* method : {"GET", "DELETE"})
        CHECK(world.ask_as(stranger, method, path).status == 404);
    for (const char* operation : {"/revoke", "/regenerate", "/disable", "/enable"})
        CHECK(world.ask_as(stranger, "POST", path + operation).status == 404);
    CHECK(world.ask_as(stranger, "GET", path + "/usage").status == 404);
    CHECK(world.ask_as(stranger, "GET", path + "/events").status == 404);
    CHECK(object_of(world.ask_as(stranger, "GET", k_keys)).at("data").as_array().empty());
    CHECK(object_of(world.ask_as(stranger, "GET", k_keys + "?tenant=acme")).at("data").as_array().empty());
    CHECK(world.ask_as(stranger, "POST", k_keys, k_new).status == 422);
}

TEST_CASE("POST /api-keys: 201 with the key, once", "[admin]")
{
    AdminWorld world;
    const ApiResponse created = world.ask("POST", k_keys, k_new);
    REQUIRE(created.status == 201);
    const auto body = object_of(created);
    const std::string key{body.at("key").as_string()};
    CHECK(parse_api_key(key, "pc"));
    CHECK(body.at("status") == "active");
    CHECK(body.at("tenant") == "acme");
    CHECK(field_of(created, "Location") == path_of(created));
    const ApiResponse shown = world.ask("GET", path_of(created));
    CHECK(shown.status == 200);
    CHECK(field_of(shown, "ETag") == object_of(shown).at("etag").as_string().c_str());
    CHECK(shown.body.find(key.substr(25)) == std::string::npos);
}

TEST_CASE("POST /api-keys: what is wrong with the body", "[admin]")
{
    AdminWorld world;
    const auto [body, status] = GENERATE(table<std::string, int>({
        {"{", 400},
        {R"({"tenant":"acme","tenant":"acme","name":"n","scopes":["orders:read"]})", 400},
        {R"({"name":"n","scopes":["orders:read"]})", 422}, // the operator names a tenant
        {R"({"tenant":"nobody","name":"n","scopes":["orders:read"]})", 422},
        {R"({"tenant":"acme","name":"n","scopes":["orders:raed"]})", 422},       // not declared
        {R"({"tenant":"acme","name":"n","scopes":["orders:read"],"x":1})", 422}, // unknown field
    }));
    const ApiResponse response = world.ask("POST", k_keys, body);
    CHECK(response.status == status);
    CHECK(response.type == "application/problem+json");
    CHECK(world.world.database.keys.empty());
}

TEST_CASE("POST /api-keys: another Content-Type is 415", "[admin]")
{
    AdminWorld world;
    CHECK(world.ask("POST", k_keys, k_new, {{"Content-Type", "text/plain"}}).status == 415);
    CHECK(world.ask("POST", k_keys, k_new, {{"Content-Type", "application/json; charset=utf-8"}}).status ==
          201);
}

TEST_CASE("POST /api-keys: 503 and nothing half-written when the vault is out of reach", "[admin]")
{
    AdminWorld world;
    world.world.vault.faults.fail_all();
    const ApiResponse response = world.ask("POST", k_keys, k_new);
    CHECK(response.status == 503);
    CHECK(field_of(response, "Retry-After") == "1");
    for (const auto& [id, record] : world.world.database.keys)
        CHECK(record.status == KeyStatus::pending);
}

TEST_CASE("POST /api-keys: an Idempotency-Key makes one key and shows its secret once", "[admin]")
{
    AdminWorld world;
    const AdminWorld::Fields again{{"Idempotency-Key", "job-7"}};
    const ApiResponse first = world.ask("POST", k_keys, k_new, again);
    const ApiResponse second = world.ask("POST", k_keys, k_new, again);
    CHECK(second.status == 201);
    CHECK(object_of(second).at("key").is_null());
    CHECK(object_of(second).at("key_available") == false);
    CHECK(path_of(first) == path_of(second));
    CHECK(world.world.database.keys.size() == 1);
    SECTION("for another body it is 422")
    {
        const ApiResponse other =
            world.ask("POST", k_keys, R"({"tenant":"acme","name":"x","scopes":["orders:read"]})", again);
        CHECK(other.status == 422);
        CHECK(code_of(other) == "idempotency_key_reused");
    }
    SECTION("a day later it is forgotten")
    {
        world.world.now += std::chrono::hours{25};
        CHECK(path_of(world.ask("POST", k_keys, k_new, again)) != path_of(first));
    }
}

TEST_CASE("POST /api-keys: a failed create does not use up its Idempotency-Key", "[admin]")
{
    AdminWorld world;
    const AdminWorld::Fields again{{"Idempotency-Key", "job-8"}};
    world.world.vault.faults.fail_all();
    CHECK(world.ask("POST", k_keys, k_new, again).status == 503);
    world.world.vault.faults.heal();
    CHECK(object_of(world.ask("POST", k_keys, k_new, again)).at("key").is_string());
}

TEST_CASE("GET /api-keys: filters, pages, and refuses what it does not know", "[admin]")
{
    AdminWorld world;
    for (const char* name : {"alpha-key", "bravo-key", "charlie-key"})
        world.world.issue(wanted_key(name));
    const auto page = object_of(world.ask("GET", k_keys + "?sort=name&limit=2"));
    REQUIRE(page.at("data").as_array().size() == 2);
    CHECK(page.at("data").at(0).at("name") == "alpha-key");
    CHECK(page.at("has_more") == true);
    const std::string cursor{page.at("next_cursor").as_string()};
    const auto rest = object_of(world.ask("GET", k_keys + "?sort=name&limit=2&cursor=" + cursor));
    CHECK(rest.at("data").as_array().size() == 1);
    CHECK(rest.at("next_cursor").is_null());
    CHECK(object_of(world.ask("GET", k_keys + "?q=bravo&tenant=acme")).at("data").as_array().size() == 1);
    CHECK(object_of(world.ask("GET", k_keys + "?status=revoked")).at("data").as_array().empty());
    const auto bad = GENERATE(as<std::string>{}, "limit=0", "limit=101", "limit=x", "sort=age", "status=odd",
                              "env=prod", "colour=red", "q=a&q=b", "q=%zz", "tenant=A%20B");
    CHECK(world.ask("GET", k_keys + "?" + bad).status == 422);
}

TEST_CASE("GET /api-keys/{key_id}: an id that cannot exist is 404", "[admin]")
{
    AdminWorld world;
    CHECK(world.ask("GET", k_keys + "/short").status == 404);
    CHECK(world.ask("GET", k_keys + "/0000000000000000").status == 404);
}

TEST_CASE("PATCH /api-keys/{key_id}: 428 without If-Match, 412 with a stale one", "[admin]")
{
    AdminWorld world;
    const ApiResponse created = world.ask("POST", k_keys, k_new);
    const std::string path = path_of(created), etag = field_of(created, "ETag");
    const std::string change = R"({"name":"renamed","scopes":["orders:read","orders:write"]})";
    CHECK(world.ask("PATCH", path, change).status == 428);
    const ApiResponse changed = world.ask("PATCH", path, change, {{"If-Match", etag}});
    CHECK(changed.status == 200);
    CHECK(object_of(changed).at("name") == "renamed");
    CHECK(field_of(changed, "ETag") != etag);
    CHECK(world.ask("PATCH", path, change, {{"If-Match", etag}}).status == 412);
    CHECK(world.ask("PATCH", path, change, {{"If-Match", "W/" + field_of(changed, "ETag")}}).status == 412);
    CHECK(world.ask("PATCH", path, change, {{"If-Match", "*"}}).status == 200);
    CHECK(world.ask("PATCH", path, R"({"status":"active"})", {{"If-Match", "*"}}).status == 422);
}

TEST_CASE("POST /api-keys/{key_id}/regenerate: a new secret under the same id", "[admin]")
{
    AdminWorld world;
    const ApiResponse created = world.ask("POST", k_keys, k_new);
    const ApiResponse again = world.ask("POST", path_of(created) + "/regenerate", R"({"overlap":"1h"})");
    REQUIRE(again.status == 201);
    CHECK(object_of(again).at("key_id") == object_of(created).at("key_id"));
    CHECK(object_of(again).at("key") != object_of(created).at("key"));
    CHECK(object_of(again).at("versions").as_array().size() == 2);
    CHECK(world.ask("POST", path_of(created) + "/regenerate", R"({"overlap":"1y"})").status == 422);
}

TEST_CASE("disable, enable, revoke: the key's status follows", "[admin]")
{
    AdminWorld world;
    const std::string path = path_of(world.ask("POST", k_keys, k_new));
    CHECK(object_of(world.ask("POST", path + "/disable")).at("status") == "disabled");
    CHECK(object_of(world.ask("POST", path + "/enable", "{}")).at("status") == "active");
    CHECK(world.ask("POST", path + "/enable", R"({"x":1})").status == 400);
    const ApiResponse revoked = world.ask("DELETE", path, R"({"reason":"leaked"})");
    CHECK(revoked.status == 200);
    CHECK(object_of(revoked).at("status") == "revoked");
    CHECK(object_of(revoked).at("revoked_reason") == "leaked");
    CHECK(world.ask("POST", path + "/enable").status == 409);
    CHECK(world.ask("POST", path + "/regenerate").status == 409);
}

TEST_CASE("disable, revoke, suspend: the answer says which nodes act upon it, and when it is certain", "[admin]")
{
    AdminWorld world;
    std::vector<bool> asked;
    AdminServices services = world.services();
    services.propagation = [&asked, &world](bool management) -> awaitable<Propagation> {
        asked.push_back(management);
        return propagation_of(world);
    };
    AdminApi api{std::move(services), ManagementAuth{Secret{k_bootstrap}, {}}, true};
    const std::string path = path_of(world.ask("POST", k_keys, k_new));
    const auto plain = object_of(world.ask("GET", path));
    for (const auto& [method, target] : std::vector<std::pair<std::string, std::string>>{
             {"POST", path + "/disable"}, {"DELETE", path}, {"POST", "/api/v1/platform/tenants/acme/suspend"}}) {
        const ApiResponse response = world.ask_api(api, method, target);
        REQUIRE(response.status == 200);
        auto object = object_of(response);
        const auto propagation = object.at("propagation").as_object();
        CHECK(propagation.at("applied").as_array() == boost::json::array{"node-a"});
        CHECK(propagation.at("pending").as_array() == boost::json::array{"node-b"});
        CHECK(propagation.at("certain_at") == "2026-11-22T08:10:01Z");
        if (target == path) { // the key's own members are what they always are
            object.erase("propagation");
            CHECK(object.size() == plain.size());
        }
    }
    CHECK_FALSE(object_of(world.ask_api(api, "POST", "/api/v1/platform/tenants/acme/resume")).contains("propagation"));
    CHECK(asked == std::vector<bool>{false, false, false});
}

TEST_CASE("the audit log: says who asked, from where, under which request id", "[admin]")
{
    AdminWorld world;
    const ApiResponse created = world.ask("POST", k_keys, k_new, {{"User-Agent", "curl/8"}});
    const auto events = object_of(world.ask("GET", path_of(created) + "/events")).at("data").as_array();
    REQUIRE(events.size() == 1);
    CHECK(events.at(0).at("action") == "key.create");
    CHECK(events.at(0).at("actor").at("id") == "bootstrap");
    CHECK(events.at(0).at("address") == "192.0.2.7");
    CHECK(events.at(0).at("user_agent") == "curl/8");
    CHECK(events.at(0).at("request_id") == "req-1");
}

TEST_CASE("GET /api-keys/{key_id}/usage: rows and their total", "[admin]")
{
    AdminWorld world;
    const ApiResponse created = world.ask("POST", k_keys, k_new);
    UsageRow row;
    row.key = KeyId::parse(std::string{object_of(created).at("key_id").as_string()});
    row.minute = world.world.now;
    row.route = "orders";
    row.counts.requests = 3;
    world.usage.rows = {row, row};
    const auto usage = object_of(world.ask("GET", path_of(created) + "/usage"));
    CHECK(usage.at("data").as_array().size() == 2);
    CHECK(usage.at("total").at("requests") == 6);
    CHECK(world.ask("GET", path_of(created) + "/usage?from=yesterday").status == 422);
}

TEST_CASE("tenants: add, list, suspend, resume", "[admin]")
{
    AdminWorld world;
    const std::string tenants = "/api/v1/platform/tenants";
    const ApiResponse added = world.ask("POST", tenants, R"({"id":"new","name":"New"})");
    CHECK(added.status == 201);
    CHECK(world.ask("POST", tenants, R"({"id":"new"})").status == 409);
    CHECK(world.ask("POST", tenants, R"({"id":"No"})").status == 422);
    CHECK(pointers_of(world.ask("POST", tenants, R"({"id":"no","plan":"gold"})")) ==
          std::vector<std::string>{"/plan"});
    CHECK(object_of(world.ask("GET", tenants)).at("data").as_array().size() == 2);
    CHECK(object_of(world.ask("POST", tenants + "/new/suspend")).at("suspended") == true);
    CHECK(object_of(world.ask("POST", tenants + "/new/resume")).at("suspended") == false);
    CHECK(world.ask("POST", tenants + "/nobody/suspend").status == 404);
}

TEST_CASE("a gateway-only node: serves health and metrics and no API", "[admin]")
{
    AdminWorld world;
    AdminApi api{world.services(), ManagementAuth{Secret{k_bootstrap}, {}}, false};
    ApiRequest request;
    request.method(boost::beast::http::verb::get);
    request.target("/livez");
    CHECK(run(api.answer(request, Address{}, "r")).status == 200);
    request.target(k_keys);
    request.set(boost::beast::http::field::authorization, "Bearer " + k_bootstrap);
    CHECK(run(api.answer(request, Address{}, "r")).status == 404);
}
