// A key service on fakes, with a tenant, declared scopes and cheap hashing: what tests of keys and of verification
// start from. The clock stands still until a test moves it.
#pragma once

#include "keys/key_service.hpp"
#include "support/fakes/digest_store.hpp"
#include "support/fakes/key_store.hpp"
#include "support/fakes/secret_vault.hpp"
#include "support/fakes/tenant_store.hpp"
#include "support/run_awaitable.hpp"

#include <stdexcept>

namespace gw {

inline TenantId tenant_id(std::string_view text)
{
    return *TenantId::parse(text);
}

inline Actor operator_actor()
{
    Actor who;
    who.type = "operator";
    who.id = "root";
    who.grants = {"*:*"};
    who.may_set_limits = true;
    return who;
}

inline CreateKey wanted_key(std::string name = "billing")
{
    CreateKey request;
    request.tenant = tenant_id("acme");
    request.name = std::move(name);
    request.scopes = {"orders:read"};
    return request;
}

inline KeyRules test_rules()
{
    KeyRules rules;
    rules.bcrypt_cost = 4;
    rules.scopes = {{"orders:read", "Read orders"}, {"orders:write", "Change orders"}, {"users:read", "Read users"}};
    rules.plans = {"free", "pro"};
    return rules;
}

struct KeyWorld {
    explicit KeyWorld(KeyRules rules = test_rules())
        : service(std::move(rules), keys, tenants, vault, digests, peppers, hashing)
    {
        service.clock = [this] { return now; };
        database.clock = service.clock;
        add_tenant("acme");
        if (!run(peppers.load(vault)))
            throw std::logic_error("no peppers");
    }
    ~KeyWorld() { hashing.join(); }

    void add_tenant(std::string_view id)
    {
        Tenant tenant;
        tenant.id = tenant_id(id);
        tenant.name = id;
        if (!run(tenants.add(tenant, AuditEntry{})))
            throw std::logic_error("no tenant");
    }
    IssuedKey issue(CreateKey request = wanted_key())
    {
        auto issued = run(service.create(std::move(request), operator_actor()));
        if (!issued)
            throw std::logic_error("not issued: " + issued.error().detail);
        return std::move(*issued);
    }
    const KeyRecord& row(const KeyId& id) const { return database.keys.at(id); }

    WallTime now = *parse_rfc3339("2026-11-22T08:00:00Z");
    FakeDatabase database;
    FakeKeyStore keys{database};
    FakeTenantStore tenants{database};
    FakeSecretVault vault;
    FakeDigestStore digests;
    PepperRing peppers;
    BlockingPool hashing{1};
    KeyService service;
};

} // namespace gw
