// What every KeyStore does with one key: its life, its versions, and what each change leaves behind.
#pragma once

#include "contract/stores_under_test.hpp"

namespace gw::contract {

inline const std::string k_id = "4fQz0c9XkT2mB7aP";

inline void key_creation_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& keys = stores->keys();
    stores->add_tenant("acme");
    const KeyId id = key_id(k_id);

    SECTION("find: an unknown key is empty")
    {
        CHECK_FALSE(run(keys.find(id)).value().has_value());
    }
    SECTION("reserve: the key is pending, with version 1 pending")
    {
        run(keys.reserve(stores->pending_key(k_id))).value();
        const auto found = run(keys.find(id)).value();
        REQUIRE(found);
        CHECK(found->status == KeyStatus::pending);
        REQUIRE(found->versions.size() == 1);
        CHECK(found->versions[0].number == 1);
        CHECK(found->versions[0].status == VersionStatus::pending);
    }
    SECTION("reserve, activate, find: every field comes back as it was given")
    {
        KeyRecord given = stores->pending_key(k_id, "Zahlungsdienst \xC3\xA4 \"1\"");
        given.owner = Owner{"user", OwnerId::parse("ada@example.com").value(), "Ada"};
        given.environment = Environment::test;
        given.scopes = {"orders:*", "orders:write"};
        given.plan = "gold";
        LimitPolicy bucket;
        bucket.name = "burst";
        bucket.rate_count = 60;
        bucket.rate_period = minutes{1};
        bucket.burst = UINT64_MAX;
        bucket.enforce = false;
        bucket.on_outage = OnOutage::closed;
        LimitPolicy quota;
        quota.name = "month";
        quota.kind = LimitPolicy::Kind::quota;
        quota.per = CountedPer::ip;
        quota.quota = 5'000;
        quota.quota_period = QuotaPeriod::month;
        quota.exact = true;
        LimitPolicy slots;
        slots.name = "at-once";
        slots.kind = LimitPolicy::Kind::concurrency;
        slots.concurrency = 12;
        given.limits = {bucket, quota, slots};
        given.allowed_ips = {Network::parse("10.0.0.0/8").value(), Network::parse("2001:db8::/32").value()};
        given.description = "for the nightly run";
        given.metadata = R"({"team":"billing"})";
        given.external_id = "ext-1";
        given.expires_at = stores->now() + hours{24};
        given.management = true;

        stores->advance(seconds{1});
        const KeyRecord active = stores->add_key(given);
        KeyRecord expected = given;
        expected.status = KeyStatus::active;
        expected.versions[0].status = VersionStatus::live;
        expected.updated_at = stores->now();
        expected.tenant_plan = "free";
        expected.record_version = active.record_version;
        CHECK(active == expected);
        CHECK(active.record_version > 0);
        CHECK(run(keys.find(id)).value() == expected);
    }
    SECTION("reserve: metadata that is no JSON object, or versions other than the first, are invalid")
    {
        KeyRecord bad = stores->pending_key(k_id);
        bad.metadata = GENERATE("[1]", "{", "");
        CHECK(run(keys.reserve(bad)).error() == errc::invalid);
        KeyRecord none = stores->pending_key(k_id);
        none.versions.clear();
        CHECK(run(keys.reserve(none)).error() == errc::invalid);
    }
    SECTION("reserve: a taken id is a conflict")
    {
        run(keys.reserve(stores->pending_key(k_id))).value();
        CHECK(run(keys.reserve(stores->pending_key(k_id))).error() == errc::conflict);
    }
    SECTION("reserve: an external id taken in the tenant is a conflict, and free in another")
    {
        stores->add_tenant("beta");
        KeyRecord first = stores->pending_key(numbered_id(1)), second = stores->pending_key(numbered_id(2));
        KeyRecord elsewhere = stores->pending_key(numbered_id(3), "x", "beta");
        first.external_id = second.external_id = elsewhere.external_id = "ext-1";
        run(keys.reserve(first)).value();
        CHECK(run(keys.reserve(second)).error() == errc::conflict);
        CHECK_FALSE(run(keys.find(second.id)).value().has_value());
        CHECK(run(keys.reserve(elsewhere)).has_value());
    }
    SECTION("reserve: an unknown tenant is not found")
    {
        CHECK(run(keys.reserve(stores->pending_key(k_id, "x", "nobody"))).error() == errc::not_found);
    }
    SECTION("activate: an unknown key is not found, an active one a conflict that writes nothing")
    {
        CHECK(run(keys.activate(id, stores->why("key.create", k_id))).error() == errc::not_found);
        const auto active = stores->add_key(k_id);
        const auto changes = run(keys.last_change()).value();
        CHECK(run(keys.activate(id, stores->why("key.create", k_id))).error() == errc::conflict);
        CHECK(run(keys.last_change()).value() == changes);
        CHECK(run(keys.find(id)).value() == active);
    }
    SECTION("find: the tenant's plan and suspension are read along")
    {
        stores->add_key(k_id);
        const auto tenant = TenantId::parse("acme").value();
        run(stores->tenants().set_suspended(tenant, true, stores->why("tenant.suspend", "acme"))).value();
        CHECK(run(keys.find(id)).value()->tenant_suspended);
        CHECK(run(keys.find(id)).value()->tenant_plan == "free");
        run(stores->tenants().set_suspended(tenant, false, stores->why("tenant.resume", "acme"))).value();
        CHECK_FALSE(run(keys.find(id)).value()->tenant_suspended);
    }
    SECTION("reserve: of eight at once for one id, one succeeds")
    {
        std::atomic<int> succeeded{0}, conflicts{0};
        const auto pending = stores->pending_key(k_id);
        in_parallel(8, [&](int) {
            const auto reserved = run(keys.reserve(pending));
            succeeded += reserved.has_value();
            conflicts += reserved.error() == errc::conflict;
        });
        CHECK(succeeded == 1);
        CHECK(conflicts == 7);
    }
}

inline void key_versions_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& keys = stores->keys();
    stores->add_tenant("acme");
    const KeyId id = key_id(k_id);
    const auto created = stores->add_key(k_id);
    stores->advance(hours{1});
    const auto why = stores->why("key.regenerate", k_id);
    const auto regenerate = [&](WallTime overlap_end) {
        const auto version = run(keys.reserve_version(id, "aaaa")).value();
        return run(keys.activate_version(id, version, overlap_end, stores->why("key.regenerate", k_id)))
            .value();
    };

    SECTION("reserve_version: the next number, pending, the old one still live")
    {
        CHECK(run(keys.reserve_version(id, "bbbb")).value() == 2);
        CHECK(run(keys.reserve_version(id, "cccc")).value() == 3);
        const auto found = run(keys.find(id)).value().value();
        REQUIRE(found.versions.size() == 3);
        CHECK(found.versions[0].is_live(stores->now()));
        CHECK(found.versions[1].status == VersionStatus::pending);
        CHECK(found.versions[1].last4 == "bbbb");
        CHECK(found.versions[1].created_at == stores->now());
    }
    SECTION("reserve_version: unknown is not found, revoked a conflict")
    {
        CHECK(run(keys.reserve_version(key_id(numbered_id(1)), "bbbb")).error() == errc::not_found);
        run(keys.revoke(id, std::nullopt, why)).value();
        CHECK(run(keys.reserve_version(id, "bbbb")).error() == errc::conflict);
    }
    SECTION("activate_version: both are live until the overlap ends, and rotated_at is set")
    {
        const WallTime end = stores->now() + hours{24};
        const auto rotated = regenerate(end);
        CHECK(rotated.rotated_at == stores->now());
        CHECK(rotated.record_version > created.record_version);
        CHECK(rotated.versions[0].ends_at == end);
        CHECK(rotated.versions[0].is_live(stores->now()));
        CHECK_FALSE(rotated.versions[0].is_live(end));
        CHECK(rotated.versions[1].is_live(end));
        CHECK(run(keys.find(id)).value() == rotated);
    }
    SECTION("activate_version: without an overlap the old one ends at once")
    {
        const auto rotated = regenerate(stores->now());
        CHECK_FALSE(rotated.versions[0].is_live(stores->now()));
        CHECK(rotated.versions[1].is_live(stores->now()));
    }
    SECTION("activate_version: of the older ones only the newest live one overlaps")
    {
        regenerate(stores->now() + hours{24});
        stores->advance(hours{1});
        const auto rotated = regenerate(stores->now() + hours{24});
        CHECK_FALSE(rotated.versions[0].is_live(stores->now()));
        CHECK(rotated.versions[0].ends_at == stores->now());
        CHECK(rotated.versions[1].is_live(stores->now()));
        CHECK(rotated.versions[2].is_live(stores->now()));
    }
    SECTION("activate_version: an overlap that has passed is not lengthened")
    {
        const WallTime end = stores->now() + hours{1};
        regenerate(end);
        stores->advance(hours{2});
        const auto rotated = regenerate(stores->now() + hours{24});
        CHECK(rotated.versions[0].ends_at == end);
        CHECK_FALSE(rotated.versions[0].is_live(stores->now()));
    }
    SECTION("activate_version: unknown is not found; live or of a revoked key is a conflict")
    {
        const WallTime now = stores->now();
        CHECK(run(keys.activate_version(key_id(numbered_id(1)), 2, now, why)).error() == errc::not_found);
        CHECK(run(keys.activate_version(id, 2, now, why)).error() == errc::not_found);
        CHECK(run(keys.activate_version(id, 1, now, why)).error() == errc::conflict);
        const auto version = run(keys.reserve_version(id, "bbbb")).value();
        run(keys.revoke(id, std::nullopt, why)).value();
        CHECK(run(keys.activate_version(id, version, now, why)).error() == errc::conflict);
    }
    SECTION("activate_version: of eight regenerations at once the newest lives, and at most two do")
    {
        std::atomic<int> activated{0}, failed{0};
        const WallTime end = stores->now() + hours{24};
        in_parallel(8, [&](int) {
            const auto version = run(keys.reserve_version(id, "bbbb"));
            const auto live = run(keys.activate_version(id, version.value(), end, why));
            activated += live.has_value();
            failed += live.has_error() && live.error() != errc::conflict;
        });
        const auto found = run(keys.find(id)).value().value();
        int live = 0, ended_or_pending = 0;
        for (const auto& version : found.versions)
            (version.is_live(stores->now()) ? live : ended_or_pending) += 1;
        CHECK(failed == 0);
        CHECK(activated >= 1);
        CHECK(found.versions.size() == 9);
        CHECK(live == 2);
        CHECK(ended_or_pending == 7);
    }
    SECTION("activate_version: eight at once for one version activate it once")
    {
        const auto version = run(keys.reserve_version(id, "bbbb")).value();
        std::atomic<int> activated{0};
        in_parallel(8, [&](int) {
            activated += run(keys.activate_version(id, version, WallTime{}, why)).has_value();
        });
        CHECK(activated == 1);
    }
}

inline void key_update_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& keys = stores->keys();
    stores->add_tenant("acme");
    const KeyId id = key_id(k_id);
    const auto created = stores->add_key(k_id);
    stores->advance(minutes{1});
    const auto why = stores->why("key.update", k_id);

    SECTION("update: what is named changes, the rest stays")
    {
        KeyChanges changes;
        changes.name = "other name";
        changes.scopes = {"orders:write"};
        changes.plan = std::optional<std::string>{"gold"};
        changes.description = std::optional<std::string>{"text"};
        changes.metadata = R"({"a":1})";
        changes.external_id = std::optional<std::string>{"ext-1"};
        changes.expires_at = std::optional<WallTime>{stores->now() + hours{1}};
        changes.allowed_ips = {Network::parse("192.0.2.1").value()};
        KeyRecord expected = created;
        expected.name = "other name";
        expected.scopes = {"orders:write"};
        expected.plan = "gold";
        expected.description = "text";
        expected.metadata = R"({"a":1})";
        expected.external_id = "ext-1";
        expected.expires_at = stores->now() + hours{1};
        expected.allowed_ips = *changes.allowed_ips;
        expected.updated_at = stores->now();
        expected.record_version = created.record_version + 1;
        CHECK(run(keys.update(id, changes, std::nullopt, why)).value() == expected);
        CHECK(run(keys.find(id)).value() == expected);

        KeyChanges clearing;
        clearing.plan = clearing.description = clearing.external_id = std::optional<std::string>{};
        clearing.expires_at = std::optional<WallTime>{};
        const auto cleared = run(keys.update(id, clearing, std::nullopt, why)).value();
        CHECK_FALSE(cleared.plan);
        CHECK_FALSE(cleared.description);
        CHECK_FALSE(cleared.external_id);
        CHECK_FALSE(cleared.expires_at);
        CHECK(cleared.name == "other name");
    }
    SECTION("update: disables and enables")
    {
        KeyChanges changes;
        changes.status = KeyStatus::disabled;
        CHECK(run(keys.update(id, changes, std::nullopt, why)).value().status == KeyStatus::disabled);
        changes.status = KeyStatus::active;
        CHECK(run(keys.update(id, changes, std::nullopt, why)).value().status == KeyStatus::active);
    }
    SECTION("update: another status is invalid")
    {
        KeyChanges changes;
        changes.status = GENERATE(KeyStatus::revoked, KeyStatus::pending);
        CHECK(run(keys.update(id, changes, std::nullopt, why)).error() == errc::invalid);
        CHECK(run(keys.find(id)).value() == created);
    }
    SECTION("update: a stale version is a conflict that writes nothing, the current one succeeds")
    {
        KeyChanges changes;
        changes.name = "other";
        const auto sequence = run(keys.last_change()).value();
        CHECK(run(keys.update(id, changes, created.record_version + 1, why)).error() == errc::conflict);
        CHECK(run(keys.find(id)).value() == created);
        CHECK(run(keys.last_change()).value() == sequence);
        CHECK(run(keys.update(id, changes, created.record_version, why)).has_value());
        CHECK(run(keys.update(id, changes, created.record_version, why)).error() == errc::conflict);
    }
    SECTION("update: of eight at once with one version, one succeeds")
    {
        std::atomic<int> succeeded{0};
        in_parallel(8, [&](int) {
            KeyChanges changes;
            changes.name = "other";
            succeeded += run(keys.update(id, changes, created.record_version, why)).has_value();
        });
        CHECK(succeeded == 1);
        CHECK(run(keys.find(id)).value()->record_version == created.record_version + 1);
    }
    SECTION("update: eight at once without a version all count")
    {
        in_parallel(8, [&](int) {
            KeyChanges changes;
            changes.name = "other";
            (void)run(keys.update(id, changes, std::nullopt, why));
        });
        CHECK(run(keys.find(id)).value()->record_version == created.record_version + 8);
    }
    SECTION("update: unknown is not found; revoked, or an external id that is taken, is a conflict")
    {
        KeyChanges changes;
        changes.external_id = std::optional<std::string>{"ext-1"};
        CHECK(run(keys.update(key_id(numbered_id(1)), changes, std::nullopt, why)).error() ==
              errc::not_found);
        KeyRecord other = stores->pending_key(numbered_id(2));
        other.external_id = "ext-1";
        stores->add_key(other);
        CHECK(run(keys.update(id, changes, std::nullopt, why)).error() == errc::conflict);
        run(keys.revoke(id, std::nullopt, why)).value();
        KeyChanges enabling;
        enabling.status = KeyStatus::active;
        CHECK(run(keys.update(id, enabling, std::nullopt, why)).error() == errc::conflict);
        CHECK(run(keys.find(id)).value()->status == KeyStatus::revoked);
    }
    SECTION("revoke: ends the key and its versions for good, with the reason")
    {
        const auto revoked = run(keys.revoke(id, "leaked", why)).value();
        CHECK(revoked.status == KeyStatus::revoked);
        CHECK(revoked.revoked_at == stores->now());
        CHECK(revoked.revoked_reason == "leaked");
        CHECK(revoked.record_version == created.record_version + 1);
        CHECK_FALSE(revoked.versions[0].is_live(stores->now()));
        CHECK(run(keys.find(id)).value() == revoked);
    }
    SECTION("revoke: a second time changes and writes nothing")
    {
        const auto revoked = run(keys.revoke(id, "leaked", why)).value();
        run(keys.destruction_done(id)).value();
        const auto sequence = run(keys.last_change()).value();
        const auto entries = run(stores->audit().list({})).value().size();
        stores->advance(minutes{1});
        CHECK(run(keys.revoke(id, "again", why)).value() == revoked);
        CHECK(run(keys.last_change()).value() == sequence);
        CHECK(run(stores->audit().list({})).value().size() == entries);
        CHECK(run(keys.pending_destructions(10)).value().empty());
    }
    SECTION("revoke: unknown is not found")
    {
        CHECK(run(keys.revoke(key_id(numbered_id(1)), std::nullopt, why)).error() == errc::not_found);
    }
    SECTION("revoke: eight at once revoke once")
    {
        const auto before = run(keys.last_change()).value();
        std::atomic<int> succeeded{0};
        in_parallel(8, [&](int) { succeeded += run(keys.revoke(id, std::nullopt, why)).has_value(); });
        CHECK(succeeded == 8);
        CHECK(run(keys.last_change()).value() == before + 1);
        CHECK(run(keys.pending_destructions(10)).value().size() == 1);
    }
}

} // namespace gw::contract
