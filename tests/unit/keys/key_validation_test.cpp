#include "keys/key_validation.hpp"

#include "support/fakes/key_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

const WallTime k_now = *parse_rfc3339("2026-11-22T08:00:00Z");

CreateKey valid()
{
    CreateKey request = wanted_key();
    request.owner.id = *OwnerId::parse("u_81");
    return request;
}

std::optional<KeyProblem> check(const CreateKey& request, const Actor& who = operator_actor(),
                                const KeyRules& rules = test_rules())
{
    return check_create(request, rules, who, k_now);
}

bool names(const std::optional<KeyProblem>& problem, std::string_view pointer)
{
    for (const auto& field : problem ? problem->fields : std::vector<FieldError>{})
        if (field.pointer == pointer)
            return true;
    return false;
}

LimitPolicy bucket(std::string name)
{
    LimitPolicy limit;
    limit.name = std::move(name);
    limit.rate_count = 10;
    limit.burst = 10;
    return limit;
}

} // namespace

TEST_CASE("check_create: a plain request passes", "[keys]")
{
    CHECK_FALSE(check(valid()));
}

TEST_CASE("check_create: each bad field is named by its pointer", "[keys]")
{
    using Spoil = void (*)(CreateKey&);
    const auto [pointer, spoil] = GENERATE(table<const char*, Spoil>({
        {"/tenant", [](CreateKey& r) { r.tenant = TenantId{}; }},
        {"/name", [](CreateKey& r) { r.name = ""; }},
        {"/name", [](CreateKey& r) { r.name = std::string(81, 'a'); }},
        {"/name", [](CreateKey& r) { r.name = "a\nb"; }},
        {"/name", [](CreateKey& r) { r.name = "\xff"; }},
        {"/owner/type", [](CreateKey& r) { r.owner.type = "robot"; }},
        {"/owner/id", [](CreateKey& r) { r.owner.id = OwnerId{}; }},
        {"/scopes", [](CreateKey& r) { r.scopes.clear(); }},
        {"/scopes", [](CreateKey& r) { r.scopes.assign(65, "orders:read"); }},
        {"/scopes/0", [](CreateKey& r) { r.scopes = {"orders"}; }},
        {"/scopes/1", [](CreateKey& r) { r.scopes = {"orders:read", "orders:fly"}; }},
        {"/scopes/0", [](CreateKey& r) { r.scopes = {"ships:*"}; }},
        {"/scopes/1", [](CreateKey& r) { r.scopes = {"orders:read", "orders:read"}; }},
        {"/scopes/0", [](CreateKey& r) { r.scopes = {"platform:keys"}; }},
        {"/scopes/0", [](CreateKey& r) { r.management = true; }},
        {"/plan", [](CreateKey& r) { r.plan = "gold"; }},
        {"/limits", [](CreateKey& r) { r.limits.assign(9, bucket("a")); }},
        {"/limits/1/name", [](CreateKey& r) { r.limits.assign(2, bucket("a")); }},
        {"/limits/0/name", [](CreateKey& r) { r.limits = {bucket("A b")}; }},
        {"/limits/0/burst", [](CreateKey& r) { r.limits = {bucket("a")}; r.limits[0].burst = 0; }},
        {"/limits/0/rate", [](CreateKey& r) { r.limits = {bucket("a")}; r.limits[0].rate_count = 0; }},
        {"/allowed_ips", [](CreateKey& r) { r.allowed_ips.assign(51, *Network::parse("10.0.0.0/8")); }},
        {"/description", [](CreateKey& r) { r.description = std::string(501, 'a'); }},
        {"/metadata", [](CreateKey& r) { r.metadata = "[]"; }},
        {"/metadata", [](CreateKey& r) { r.metadata = "{"; }},
        {"/metadata", [](CreateKey& r) { r.metadata = R"({"a":")" + std::string(4096, 'a') + "\"}"; }},
        {"/external_id", [](CreateKey& r) { r.external_id = ""; }},
        {"/external_id", [](CreateKey& r) { r.external_id = std::string(129, 'a'); }},
        {"/expires_at", [](CreateKey& r) { r.expires_at = k_now; }},
    }));
    CreateKey request = valid();
    spoil(request);
    const auto problem = check(request);
    REQUIRE(problem);
    CHECK(problem->kind == KeyProblem::Kind::invalid);
    CAPTURE(pointer, problem->detail);
    CHECK(names(problem, pointer));
}

TEST_CASE("check_create: all problems are reported together", "[keys]")
{
    CreateKey request = valid();
    request.name = "";
    request.scopes = {"orders:fly"};
    request.expires_at = k_now;
    const auto problem = check(request);
    REQUIRE(problem);
    CHECK(problem->fields.size() == 3);
}

TEST_CASE("check_create: lengths count characters, not bytes", "[keys]")
{
    CreateKey request = valid();
    request.name.clear();
    for (int i = 0; i < 80; ++i)
        request.name += "\xC3\xA9";
    CHECK_FALSE(check(request));
}

TEST_CASE("check_create: nobody grants more than they hold", "[keys]")
{
    Actor who = operator_actor();
    who.type = "user";
    who.grants = {"orders:read"};
    CreateKey request = valid();
    CHECK_FALSE(check(request, who));

    request.scopes = {"orders:read", "orders:write"};
    const auto problem = check(request, who);
    REQUIRE(problem);
    CHECK(problem->kind == KeyProblem::Kind::forbidden);
    CHECK(names(problem, "/scopes/1"));

    request.scopes = {"orders:*"};
    CHECK(check(request, who)->kind == KeyProblem::Kind::forbidden);
}

TEST_CASE("check_create: plans and limits need the right to set them", "[keys]")
{
    Actor who = operator_actor();
    who.may_set_limits = false;
    CreateKey request = valid();
    request.plan = "free";
    CHECK(names(check(request, who), "/plan"));
    request.plan.reset();
    request.limits = {bucket("a")};
    const auto problem = check(request, who);
    CHECK(names(problem, "/limits"));
    CHECK(problem->kind == KeyProblem::Kind::forbidden);
}

TEST_CASE("check_create: a management key carries platform scopes, which no wildcard grants", "[keys]")
{
    CreateKey request = valid();
    request.management = true;
    request.scopes = {"platform:keys", "platform:keys:read"};
    CHECK_FALSE(check(request));

    Actor who = operator_actor();
    who.type = "user"; // with "*:*"
    CHECK(check(request, who)->kind == KeyProblem::Kind::forbidden);
    who.grants = {"platform:keys"};
    CHECK_FALSE(check(request, who));
}

TEST_CASE("check_create: max_age bounds the expiry", "[keys]")
{
    KeyRules rules = test_rules();
    rules.max_age = std::chrono::days{30};
    CreateKey request = valid();
    request.expires_at = k_now + std::chrono::days{30};
    CHECK_FALSE(check(request, operator_actor(), rules));
    *request.expires_at += std::chrono::seconds{1};
    CHECK(names(check(request, operator_actor(), rules), "/expires_at"));
}

TEST_CASE("check_changes: only what is added must be held", "[keys]")
{
    KeyRecord current;
    current.scopes = {"orders:read", "users:read"};
    Actor who;
    who.type = "user";
    who.grants = {"orders:write"};
    KeyChanges changes;
    changes.scopes = std::vector<std::string>{"orders:read", "orders:write"};
    CHECK_FALSE(check_changes(changes, current, test_rules(), who, k_now));
    changes.scopes->push_back("users:*");
    const auto problem = check_changes(changes, current, test_rules(), who, k_now);
    REQUIRE(problem);
    CHECK(problem->kind == KeyProblem::Kind::forbidden);
    CHECK(names(problem, "/scopes/2"));
}

TEST_CASE("check_changes: max_age counts from the secret's age, so that no change extends it", "[keys]")
{
    KeyRules rules = test_rules();
    rules.max_age = std::chrono::days{30};
    KeyRecord current;
    current.rotated_at = k_now - std::chrono::days{29};
    KeyChanges changes;
    changes.expires_at.emplace(k_now + std::chrono::days{2});
    CHECK(names(check_changes(changes, current, rules, operator_actor(), k_now), "/expires_at"));
    changes.expires_at.emplace(k_now + std::chrono::days{1});
    CHECK_FALSE(check_changes(changes, current, rules, operator_actor(), k_now));
}

TEST_CASE("check_changes: a status other than active or disabled is refused", "[keys]")
{
    KeyChanges changes;
    changes.status = KeyStatus::revoked;
    CHECK(names(check_changes(changes, KeyRecord{}, test_rules(), operator_actor(), k_now), "/status"));
}
