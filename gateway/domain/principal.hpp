// Who is calling: a verified key, with everything the request stages need worked out in advance.
// Immutable and shared; built once per (key, record version) and worker, so that a warm request computes nothing.
#pragma once

#include "domain/key_record.hpp"
#include "domain/limit_policy.hpp"

#include <string>

namespace gw {

struct Principal {
    KeyRecord key;
    Identity128 key_partition, owner_partition, tenant_partition;
    // "X-Gateway-Key-Id: ...\r\nX-Gateway-Tenant: ...\r\nX-Gateway-Owner: ...\r\nX-Gateway-Scopes: ...\r\n"
    std::string identity_fields;

    explicit Principal(KeyRecord record);
};

} // namespace gw
