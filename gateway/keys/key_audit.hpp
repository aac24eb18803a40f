// The audit entry of a change of a key: who, what, from where. `details` is the caller's to fill.
#pragma once

#include "keys/key_service.hpp"

namespace gw {

inline AuditEntry audit_entry(const Actor& who, std::string action, const KeyRecord& key, WallTime now)
{
    AuditEntry entry;
    entry.actor_type = who.type;
    entry.actor = who.id;
    entry.action = std::move(action);
    entry.target_type = "key";
    entry.target = key.id.str();
    entry.tenant = key.tenant.str();
    entry.address = who.address;
    entry.user_agent = who.user_agent;
    entry.request_id = who.request_id;
    entry.at = now;
    return entry;
}

} // namespace gw
