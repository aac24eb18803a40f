// What every KeyStore keeps for background work: the change sequence, audit entries of changes, the outbox
// and what crashes left behind.
#pragma once

#include "contract/stores_under_test.hpp"

#include <set>

namespace gw::contract {

inline void key_changes_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& keys = stores->keys();

    SECTION("last_change: 0 before the first")
    {
        CHECK(run(keys.last_change()).value() == 0);
        CHECK(run(keys.changes_after(0, 10)).value().empty());
    }
    SECTION("every change adds its row, with the record's new version, and its audit entry")
    {
        stores->add_tenant("acme");
        const auto id = key_id(numbered_id(1));
        stores->add_key(numbered_id(1));
        const auto why = stores->why("key.update", id.str());
        KeyChanges disabling;
        disabling.status = KeyStatus::disabled;
        for (int step = 0; step < 3; ++step) {
            const auto before = run(keys.last_change()).value();
            const auto entries = run(stores->audit().list({})).value().size();
            std::uint64_t record_version = 0;
            if (step == 0) {
                record_version = run(keys.update(id, disabling, std::nullopt, why)).value().record_version;
            } else if (step == 1) {
                const auto version = run(keys.reserve_version(id, "bbbb")).value();
                record_version =
                    run(keys.activate_version(id, version, stores->now(), why)).value().record_version;
            } else {
                record_version = run(keys.revoke(id, std::nullopt, why)).value().record_version;
            }
            const auto changes = run(keys.changes_after(before, 10)).value();
            REQUIRE_FALSE(changes.empty());
            CHECK(changes.back().subject == Change::Subject::key);
            CHECK(changes.back().id == id.str());
            CHECK(changes.back().record_version == record_version);
            CHECK(changes.back().at == stores->now());
            CHECK(run(stores->audit().list({})).value().size() == entries + 1);
        }
    }
    SECTION("a tenant's changes are in the same sequence")
    {
        stores->add_tenant("acme");
        const auto before = run(keys.last_change()).value();
        run(stores->tenants().set_suspended(TenantId::parse("acme").value(), true,
                                            stores->why("tenant.suspend", "acme")))
            .value();
        const auto changes = run(keys.changes_after(before, 10)).value();
        REQUIRE(changes.size() == 1);
        CHECK(changes[0].subject == Change::Subject::tenant);
        CHECK(changes[0].id == "acme");
        CHECK(changes[0].record_version == 0);
        CHECK(changes[0].sequence == run(keys.last_change()).value());
    }
    SECTION("changes_after: in order, at most limit, without gaps between pages")
    {
        stores->add_tenant("acme");
        for (int i = 0; i < 5; ++i)
            stores->add_key(numbered_id(i));
        const auto all = run(keys.changes_after(0, 1'000)).value();
        std::vector<Change> paged;
        for (std::uint64_t after = 0;;) {
            const auto page = run(keys.changes_after(after, 3)).value();
            CHECK(page.size() <= 3);
            if (page.empty())
                break;
            paged.insert(paged.end(), page.begin(), page.end());
            after = page.back().sequence;
        }
        CHECK(paged == all);
        for (std::size_t i = 1; i < all.size(); ++i)
            CHECK(all[i - 1].sequence < all[i].sequence);
        CHECK(all.back().sequence == run(keys.last_change()).value());
    }
    SECTION("a poller beside four writers misses no change")
    {
        stores->add_tenant("acme");
        constexpr int k_writers = 4, k_each = 10;
        std::atomic<int> writing{k_writers};
        std::set<std::string> seen;
        in_parallel(k_writers + 1, [&](int i) {
            if (i < k_writers) {
                for (int n = 0; n < k_each; ++n)
                    (void)run(keys.reserve(stores->pending_key(numbered_id(100 * i + n))));
                --writing;
                return;
            }
            std::uint64_t after = 0;
            for (bool last_round = false; !last_round;) {
                last_round = writing.load() == 0;
                const auto page = run(keys.changes_after(after, 7)).value();
                last_round = last_round && page.empty();
                for (const auto& change : page) {
                    after = change.sequence;
                    seen.insert(change.id);
                }
            }
        });
        CHECK(seen.size() == k_writers * k_each + 1); // and the tenant
    }
}

inline void key_outbox_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& keys = stores->keys();
    stores->add_tenant("acme");

    SECTION("revoke queues the destruction of the Vault entry, until it is done")
    {
        for (int i = 0; i < 3; ++i) {
            stores->add_key(numbered_id(i));
            stores->advance(seconds{1});
            run(keys.revoke(key_id(numbered_id(i)), std::nullopt, stores->why("key.revoke", numbered_id(i))))
                .value();
        }
        const auto pending = run(keys.pending_destructions(2)).value();
        REQUIRE(pending.size() == 2);
        CHECK(pending[0].key == key_id(numbered_id(0)));
        CHECK(pending[0].tenant.str() == "acme");
        for (int i = 0; i < 3; ++i)
            run(keys.destruction_done(key_id(numbered_id(i)))).value();
        CHECK(run(keys.pending_destructions(2)).value().empty());
        CHECK(run(keys.destruction_done(key_id(numbered_id(0)))).has_value());
    }
    SECTION("leftovers: pending keys and versions older than asked, no others")
    {
        stores->add_key(numbered_id(1));
        run(keys.reserve(stores->pending_key(numbered_id(2)))).value();
        run(keys.reserve_version(key_id(numbered_id(1)), "bbbb")).value();
        stores->advance(hours{1});
        run(keys.reserve(stores->pending_key(numbered_id(3)))).value();
        run(keys.reserve_version(key_id(numbered_id(1)), "cccc")).value();

        CHECK(run(keys.leftovers(stores->now() - hours{1}, 10)).value().empty());
        auto found = run(keys.leftovers(stores->now() - minutes{30}, 10)).value();
        REQUIRE(found.size() == 2);
        if (!found[0].whole_key)
            std::swap(found[0], found[1]);
        CHECK(found[0].key == key_id(numbered_id(2)));
        CHECK(found[0].whole_key);
        CHECK(found[0].tenant.str() == "acme");
        CHECK(found[1].key == key_id(numbered_id(1)));
        CHECK(found[1].version == 2);
        CHECK_FALSE(found[1].whole_key);
        CHECK(run(keys.leftovers(stores->now() - minutes{30}, 1)).value().size() == 1);
    }
    SECTION("drop_leftover: deletes the pending key, whose id is free again")
    {
        run(keys.reserve(stores->pending_key(numbered_id(2)))).value();
        stores->advance(hours{1});
        for (const auto& leftover : run(keys.leftovers(stores->now(), 10)).value())
            run(keys.drop_leftover(leftover)).value();
        CHECK_FALSE(run(keys.find(key_id(numbered_id(2)))).value());
        CHECK(run(keys.reserve(stores->pending_key(numbered_id(2)))).has_value());
    }
    SECTION("drop_leftover: deletes the pending version, whose number is not given again")
    {
        stores->add_key(numbered_id(1));
        run(keys.reserve_version(key_id(numbered_id(1)), "bbbb")).value();
        stores->advance(hours{1});
        for (const auto& leftover : run(keys.leftovers(stores->now(), 10)).value())
            run(keys.drop_leftover(leftover)).value();
        CHECK(run(keys.find(key_id(numbered_id(1)))).value()->versions.size() == 1);
        CHECK(run(keys.reserve_version(key_id(numbered_id(1)), "cccc")).value() == 3);
    }
    SECTION("drop_leftover: leaves alone what is no longer pending")
    {
        run(keys.reserve(stores->pending_key(numbered_id(1)))).value();
        stores->advance(hours{1});
        const auto left = run(keys.leftovers(stores->now(), 10)).value();
        REQUIRE(left.size() == 1);
        run(keys.activate(key_id(numbered_id(1)), stores->why("key.create", numbered_id(1)))).value();
        const auto active = run(keys.find(key_id(numbered_id(1)))).value();
        run(keys.drop_leftover(left[0])).value();
        CHECK(run(keys.find(key_id(numbered_id(1)))).value() == active);

        const auto version = run(keys.reserve_version(key_id(numbered_id(1)), "bbbb")).value();
        const KeyStore::Leftover of_version{key_id(numbered_id(1)), TenantId::parse("acme").value(), version,
                                            false};
        const auto why = stores->why("key.regenerate", numbered_id(1));
        const auto live =
            run(keys.activate_version(key_id(numbered_id(1)), version, stores->now(), why)).value();
        run(keys.drop_leftover(of_version)).value();
        CHECK(run(keys.find(key_id(numbered_id(1)))).value() == live);
    }
}

} // namespace gw::contract
