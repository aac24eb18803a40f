#include "keys/key_json.hpp"

#include "keys/key_service.hpp"

#include <boost/json.hpp>
#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

WallTime at(std::string_view text)
{
    return *parse_rfc3339(text);
}

KeyRecord example()
{
    KeyRecord record;
    record.id = *KeyId::parse("4fQz0c9XkT2mB7aP");
    record.tenant = *TenantId::parse("acme");
    record.owner = {"user", *OwnerId::parse("u_81"), "Ada"};
    record.name = "billing service";
    record.scopes = {"orders:read"};
    record.plan = "free";
    record.status = KeyStatus::active;
    record.created_at = record.updated_at = record.rotated_at = at("2026-11-22T08:00:00Z");
    record.created_by = "u_81";
    record.record_version = 7;
    KeyVersion version;
    version.number = 1;
    version.last4 = "9fQx";
    version.status = VersionStatus::live;
    version.created_at = record.created_at;
    record.versions.push_back(version);
    return record;
}

boost::json::object shown(const KeyRecord& record, WallTime now, const Secret* key = nullptr)
{
    return boost::json::parse(key_to_json(record, KeyRules{}, now, key)).as_object();
}

} // namespace

TEST_CASE("key_to_json: the example of DESIGN.md section 8", "[keys]")
{
    const auto expected = boost::json::parse(R"({
      "key_id": "4fQz0c9XkT2mB7aP", "name": "billing service", "tenant": "acme",
      "owner": { "type": "user", "id": "u_81", "name": "Ada" },
      "environment": "live", "scopes": ["orders:read"], "plan": "free", "limits": [], "allowed_ips": [],
      "description": null, "metadata": {}, "external_id": null,
      "status": "active", "prefix": "pc_live_4fQz0c9XkT2mB7aP", "last4": "9fQx",
      "versions": [{ "version": 1, "last4": "9fQx", "status": "live", "created_at": "2026-11-22T08:00:00Z",
                     "ends_at": null, "last_used_at": null }],
      "created_at": "2026-11-22T08:00:00Z", "created_by": "u_81", "updated_at": "2026-11-22T08:00:00Z",
      "expires_at": null, "rotation_due_at": "2027-02-20T08:00:00Z",
      "last_used_at": null, "last_used_ip": null, "revoked_at": null, "revoked_reason": null, "etag": "\"7\"" })");
    CHECK(boost::json::value(shown(example(), at("2026-11-22T09:00:00Z"))) == expected);
}

TEST_CASE("key_to_json: the key itself is there only when it is given", "[keys]")
{
    const Secret key{"pc_live_whole"};
    CHECK(shown(example(), at("2026-11-22T09:00:00Z"), &key).at("key") == "pc_live_whole");
    CHECK_FALSE(shown(example(), at("2026-11-22T09:00:00Z")).contains("key"));
}

TEST_CASE("shown_status: revoked, then expired, then disabled", "[keys]")
{
    const WallTime now = at("2026-11-22T09:00:00Z");
    KeyRecord record = example();
    CHECK(shown_status(record, now) == "active");
    record.status = KeyStatus::disabled;
    CHECK(shown_status(record, now) == "disabled");
    record.expires_at = now;
    CHECK(shown_status(record, now) == "expired");
    record.status = KeyStatus::revoked;
    CHECK(shown_status(record, now) == "revoked");
}

TEST_CASE("key_to_json: versions read as live, ended and pending, and last4 is of the newest handed out", "[keys]")
{
    const WallTime now = at("2026-11-22T09:00:00Z");
    KeyRecord record = example();
    record.versions[0].ends_at = now;
    record.versions.push_back(record.versions[0]);
    record.versions[1].number = 2;
    record.versions[1].last4 = "two2";
    record.versions[1].ends_at.reset();
    record.versions.push_back(record.versions[1]);
    record.versions[2].number = 3;
    record.versions[2].last4 = "thr3";
    record.versions[2].status = VersionStatus::pending;

    const auto json = shown(record, now);
    const auto& versions = json.at("versions").as_array();
    CHECK(versions[0].at("status") == "ended");
    CHECK(versions[1].at("status") == "live");
    CHECK(versions[2].at("status") == "pending");
    CHECK(json.at("last4") == "two2");

    record.status = KeyStatus::revoked;
    CHECK(shown(record, now).at("versions").as_array()[1].at("status") == "ended");
}

TEST_CASE("limit_to_json: as in the configuration", "[keys]")
{
    LimitPolicy limit;
    limit.name = "burst";
    limit.rate_count = 5;
    limit.rate_period = std::chrono::seconds{10};
    limit.burst = 20;
    CHECK(limit_to_json(limit).at("rate") == "5/10s");
    limit.rate_period = std::chrono::minutes{1};
    CHECK(limit_to_json(limit).at("rate") == "5/m");
    limit.kind = LimitPolicy::Kind::quota;
    limit.quota = 5000;
    limit.quota_period = QuotaPeriod::month;
    CHECK(limit_to_json(limit).at("quota") == "5000/mo");
    CHECK_FALSE(limit_to_json(limit).contains("rate"));
    limit.kind = LimitPolicy::Kind::concurrency;
    limit.concurrency = 8;
    CHECK(limit_to_json(limit).at("concurrency") == 8);
    CHECK_FALSE(limit_to_json(limit).contains("quota"));
}

TEST_CASE("audit_difference: names only what changed", "[keys]")
{
    KeyRecord after = example();
    after.name = "other";
    after.status = KeyStatus::disabled;
    CHECK(boost::json::parse(audit_difference(example(), after)) ==
          boost::json::parse(R"({"before":{"name":"billing service","status":"active"},
                                 "after":{"name":"other","status":"disabled"}})"));
}
