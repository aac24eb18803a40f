// What every TenantStore does.
#pragma once

#include "contract/stores_under_test.hpp"

namespace gw::contract {

inline void tenant_store_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& tenants = stores->tenants();
    Tenant acme;
    acme.id = TenantId::parse("acme").value();
    acme.name = "Acme & Söhne";
    acme.plan = "gold";
    acme.created_at = stores->now();
    const auto why = stores->why("tenant.create", "acme");

    SECTION("find: unknown is empty")
    {
        CHECK_FALSE(run(tenants.find(acme.id)).value());
        CHECK(run(tenants.list()).value().empty());
    }
    SECTION("add, find: every field comes back")
    {
        run(tenants.add(acme, why)).value();
        CHECK(run(tenants.find(acme.id)).value() == acme);
        Tenant bare;
        bare.id = TenantId::parse("b-2").value();
        run(tenants.add(bare, why)).value();
        CHECK(run(tenants.find(bare.id)).value() == bare);
    }
    SECTION("add: a taken id is a conflict that writes nothing")
    {
        run(tenants.add(acme, why)).value();
        const auto sequence = run(stores->keys().last_change()).value();
        Tenant other = acme;
        other.name = "other";
        CHECK(run(tenants.add(other, why)).error() == errc::conflict);
        CHECK(run(tenants.find(acme.id)).value() == acme);
        CHECK(run(stores->keys().last_change()).value() == sequence);
        CHECK(run(stores->audit().list({})).value().size() == 1);
    }
    SECTION("list: by id")
    {
        for (const char* id : {"zeta", "acme", "beta", "0"})
            stores->add_tenant(id);
        std::vector<std::string> ids;
        for (const auto& tenant : run(tenants.list()).value())
            ids.push_back(tenant.id.str());
        CHECK(ids == std::vector<std::string>{"0", "acme", "beta", "zeta"});
    }
    SECTION("set_suspended: suspends and resumes, each with its change and audit entry")
    {
        run(tenants.add(acme, why)).value();
        for (const bool suspended : {true, false}) {
            const auto before = run(stores->keys().last_change()).value();
            run(tenants.set_suspended(acme.id, suspended, stores->why("tenant.suspend", "acme"))).value();
            CHECK(run(tenants.find(acme.id)).value()->suspended == suspended);
            CHECK(run(stores->keys().last_change()).value() == before + 1);
        }
        AuditQuery query;
        query.action = "tenant.suspend";
        CHECK(run(stores->audit().list(query)).value().size() == 2);
    }
    SECTION("set_suspended: unknown is not found and writes nothing")
    {
        CHECK(run(tenants.set_suspended(acme.id, true, why)).error() == errc::not_found);
        CHECK(run(stores->keys().last_change()).value() == 0);
        CHECK(run(stores->audit().list({})).value().empty());
    }
}

} // namespace gw::contract
