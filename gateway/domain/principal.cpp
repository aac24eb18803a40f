// What a warm request would otherwise compute anew: counter partitions and the identity header block.
#include "domain/principal.hpp"

#include "domain/scope.hpp"

#include <utility>

namespace gw {
namespace {

std::string write_identity_fields(const KeyRecord& key)
{
    std::string fields;
    fields += "X-Gateway-Key-Id: ";
    fields += key.id.view();
    fields += "\r\nX-Gateway-Tenant: ";
    fields += key.tenant.str();
    fields += "\r\nX-Gateway-Owner: ";
    fields += key.owner.id.str();
    fields += "\r\nX-Gateway-Scopes:";
    // The ids cannot hold a line break by type. Scopes are plain strings out of a database: one that is not
    // well formed never reaches a header.
    for (const auto& scope : key.scopes)
        if (is_valid_grant(scope))
            fields.append(" ").append(scope);
    fields += "\r\n";
    return fields;
}

} // namespace

Principal::Principal(KeyRecord record)
    : key(std::move(record)), key_partition(identity_of({"key", key.tenant.str(), key.id.view()})),
      owner_partition(identity_of({"owner", key.tenant.str(), key.owner.id.str()})),
      tenant_partition(identity_of({"tenant", key.tenant.str()})), identity_fields(write_identity_fields(key))
{
}

} // namespace gw
