// What is worked out once for a verified key.
#include "domain/principal.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

KeyRecord record(std::string_view tenant, std::string_view key, std::string_view owner)
{
    KeyRecord record;
    record.id = *KeyId::parse(key);
    record.tenant = *TenantId::parse(tenant);
    record.owner.id = *OwnerId::parse(owner);
    record.scopes = {"orders:read", "invoices:*"};
    return record;
}

} // namespace

TEST_CASE("Principal: the identity fields are ready to be sent", "[domain]")
{
    const Principal principal{record("acme", "4fQz0c9XkT2mB7aP", "ada@example.com")};
    CHECK(principal.identity_fields == "X-Gateway-Key-Id: 4fQz0c9XkT2mB7aP\r\n"
                                       "X-Gateway-Tenant: acme\r\n"
                                       "X-Gateway-Owner: ada@example.com\r\n"
                                       "X-Gateway-Scopes: orders:read invoices:*\r\n");
}

TEST_CASE("Principal: a malformed scope out of a store never reaches a header", "[domain]")
{
    KeyRecord damaged = record("acme", "4fQz0c9XkT2mB7aP", "ada");
    damaged.scopes = {"orders:read", "x:y\r\nX-Gateway-Tenant: other", "a b"};
    const Principal principal{std::move(damaged)};
    CHECK(principal.identity_fields.find("other") == std::string::npos);
    CHECK(principal.identity_fields.ends_with("X-Gateway-Scopes: orders:read\r\n"));
}

TEST_CASE("Principal: key, owner and tenant are three separate partitions within a tenant", "[domain]")
{
    const Principal a{record("acme", "4fQz0c9XkT2mB7aP", "ada")};
    const Principal same_owner{record("acme", "4fQz0c9XkT2mB7aQ", "ada")};
    const Principal other_tenant{record("other", "4fQz0c9XkT2mB7aP", "ada")};

    CHECK(a.key_partition == identity_of({"key", "acme", "4fQz0c9XkT2mB7aP"}));
    CHECK(a.owner_partition == identity_of({"owner", "acme", "ada"}));
    CHECK(a.tenant_partition == identity_of({"tenant", "acme"}));
    CHECK(a.key_partition != same_owner.key_partition);
    CHECK(a.owner_partition == same_owner.owner_partition);
    CHECK(a.tenant_partition == same_owner.tenant_partition);
    CHECK(a.owner_partition != other_tenant.owner_partition);
    CHECK(a.key_partition != other_tenant.key_partition);
}
