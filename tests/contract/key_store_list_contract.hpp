// How every KeyStore lists: filters, search, orders and cursors.
#pragma once

#include "contract/stores_under_test.hpp"

#include <algorithm>

namespace gw::contract {

inline std::vector<std::string> ids_of(const KeyPage& page)
{
    std::vector<std::string> ids;
    for (const auto& key : page.keys)
        ids.push_back(key.id.str());
    return ids;
}

// All pages, as ids.
inline std::vector<std::string> all_ids(KeyStore& keys, KeyQuery query)
{
    std::vector<std::string> ids;
    for (int pages = 0; pages < 100; ++pages) {
        const auto page = run(keys.list(query)).value();
        const auto more = ids_of(page);
        ids.insert(ids.end(), more.begin(), more.end());
        if (!page.next_cursor)
            return ids;
        query.cursor = *page.next_cursor;
    }
    return ids;
}

inline void key_list_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& keys = stores->keys();
    stores->add_tenant("acme");
    stores->add_tenant("beta");
    KeyQuery of_acme;
    of_acme.tenant = TenantId::parse("acme");

    SECTION("list: nothing there is an empty page")
    {
        const auto page = run(keys.list(of_acme)).value();
        CHECK(page.keys.empty());
        CHECK_FALSE(page.next_cursor);
    }
    SECTION("list: one tenant's only, or all tenants'; pending ones never")
    {
        stores->add_key(numbered_id(1));
        stores->add_key(stores->pending_key(numbered_id(2), "x", "beta"));
        run(keys.reserve(stores->pending_key(numbered_id(3)))).value();
        CHECK(ids_of(run(keys.list(of_acme)).value()) == std::vector{numbered_id(1)});
        CHECK(all_ids(keys, KeyQuery{}).size() == 2);
        KeyQuery pending = of_acme;
        pending.status = KeyStatus::pending;
        CHECK(run(keys.list(pending)).value().keys.empty());
    }
    SECTION("list: a record is the one that find returns")
    {
        stores->add_key(numbered_id(1));
        run(keys.reserve_version(key_id(numbered_id(1)), "bbbb")).value();
        CHECK(run(keys.list(of_acme)).value().keys[0] == run(keys.find(key_id(numbered_id(1)))).value());
    }
    SECTION("list: filters by status, environment and owner")
    {
        for (int i = 0; i < 8; ++i) {
            KeyRecord key = stores->pending_key(numbered_id(i));
            key.environment = i & 1 ? Environment::test : Environment::live;
            key.owner.id = OwnerId::parse(i & 2 ? "ada" : "bob").value();
            stores->add_key(key);
            KeyChanges disabling;
            disabling.status = KeyStatus::disabled;
            if (i & 4)
                run(keys.update(key.id, disabling, std::nullopt, stores->why("key.disable", ""))).value();
        }
        KeyQuery query = of_acme;
        query.status = KeyStatus::disabled;
        CHECK(all_ids(keys, query).size() == 4);
        query.environment = Environment::test;
        CHECK(all_ids(keys, query).size() == 2);
        query.owner = "ada";
        CHECK(all_ids(keys, query) == std::vector{numbered_id(7)});
        query.tenant.reset();
        CHECK(all_ids(keys, query) == std::vector{numbered_id(7)});
        query.status = KeyStatus::active;
        CHECK(all_ids(keys, query) == std::vector{numbered_id(3)});
        query.owner = "nobody";
        CHECK(all_ids(keys, query).empty());
    }
    SECTION("list: text matches name, key_id and last4, whatever the case")
    {
        KeyRecord first = stores->pending_key("AbCdEfGhIjKlMnOp", "Billing Service 100%_");
        first.versions[0].last4 = "Zz9Q";
        stores->add_key(first);
        stores->add_key(stores->pending_key(numbered_id(2), "mail"));
        const auto matches = [&](const std::string& text) {
            KeyQuery query = of_acme;
            query.text = text;
            return all_ids(keys, query);
        };
        const std::vector<std::string> only_first{"AbCdEfGhIjKlMnOp"};
        CHECK(matches("billing") == only_first);
        CHECK(matches("SERVICE") == only_first);
        CHECK(matches("100%_") == only_first);
        CHECK(matches("abcdefgh") == only_first);
        CHECK(matches("zz9q") == only_first);
        CHECK(matches("%").size() == 1);
        CHECK(matches("9fqx") == std::vector{numbered_id(2)});
        CHECK(matches("absent").empty());
        CHECK(matches("").size() == 2);
    }
    SECTION("list: a new name and a new last4 are found, the old name is not")
    {
        stores->add_key(stores->pending_key(numbered_id(1), "before"));
        KeyChanges renaming;
        renaming.name = "after";
        run(keys.update(key_id(numbered_id(1)), renaming, std::nullopt, stores->why("key.update", "")))
            .value();
        const auto version = run(keys.reserve_version(key_id(numbered_id(1)), "WXYZ")).value();
        run(keys.activate_version(key_id(numbered_id(1)), version, stores->now(), stores->why("x", "")))
            .value();
        KeyQuery query = of_acme;
        const auto found = [&](const std::string& text) {
            query.text = text;
            return run(keys.list(query)).value().keys.size();
        };
        CHECK(found("after") == 1);
        CHECK(found("wxyz") == 1);
        CHECK(found("before") == 0);
    }
    SECTION("list: every order, page by page, misses and repeats nothing; ties go by key id")
    {
        // By name: billing 2 5 8 11, Mail 0 3 6 9, print 1 4 7 10.
        const auto [sort, first, second, last] = GENERATE(table<KeyQuery::Sort, int, int, int>({
            {KeyQuery::Sort::created_desc, 11, 10, 0},
            {KeyQuery::Sort::created_asc, 0, 1, 11},
            {KeyQuery::Sort::name_asc, 2, 5, 10},
            {KeyQuery::Sort::name_desc, 10, 7, 2},
        }));
        // Three keys of each moment, four of each name; names differ in case, too.
        const char* const names[] = {"Mail", "print", "billing"};
        for (int i = 0; i < 12; ++i) {
            stores->add_key(stores->pending_key(numbered_id(i), names[i % 3]));
            if (i % 3 == 2)
                stores->advance(seconds{1});
        }
        KeyQuery query;
        query.sort = sort;
        if (GENERATE(true, false))
            query.tenant = of_acme.tenant;
        const auto at_once = all_ids(keys, query);
        REQUIRE(at_once.size() == 12);
        CHECK(at_once[0] == numbered_id(first));
        CHECK(at_once[1] == numbered_id(second));
        CHECK(at_once[11] == numbered_id(last));
        for (query.limit = 1; query.limit < 13; query.limit += 3)
            CHECK(all_ids(keys, query) == at_once);
    }
    SECTION("list: there is a next page only if it has a key")
    {
        for (int i = 0; i < 4; ++i)
            stores->add_key(numbered_id(i));
        KeyQuery query = of_acme;
        query.limit = 4;
        CHECK_FALSE(run(keys.list(query)).value().next_cursor);
        query.limit = 3;
        CHECK(run(keys.list(query)).value().next_cursor);
    }
    SECTION("list: a key created between two pages disturbs neither")
    {
        for (int i = 0; i < 4; ++i) {
            stores->add_key(numbered_id(i));
            stores->advance(seconds{1});
        }
        KeyQuery query = of_acme;
        query.limit = 2;
        query.cursor = run(keys.list(query)).value().next_cursor.value();
        stores->add_key(numbered_id(9));
        CHECK(ids_of(run(keys.list(query)).value()) == std::vector{numbered_id(1), numbered_id(0)});
    }
    SECTION("list: what is not a cursor of this order is invalid")
    {
        for (int i = 0; i < 4; ++i)
            stores->add_key(numbered_id(i));
        KeyQuery query = of_acme;
        query.limit = 2;
        const auto cursor = run(keys.list(query)).value().next_cursor.value();
        for (const std::string& bad :
             {std::string{"x"}, std::string{"!!!!"}, cursor + "A", cursor.substr(1)}) {
            query.cursor = bad;
            CHECK(run(keys.list(query)).error() == errc::invalid);
        }
        query.cursor = cursor;
        query.sort = KeyQuery::Sort::name_asc;
        CHECK(run(keys.list(query)).error() == errc::invalid);
    }
    SECTION("list: a limit outside 1..100 is invalid")
    {
        KeyQuery query = of_acme;
        query.limit = GENERATE(0u, 101u);
        CHECK(run(keys.list(query)).error() == errc::invalid);
    }
}

} // namespace gw::contract
