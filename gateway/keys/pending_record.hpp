// A request for a key becomes the record that creation and import reserve.
#pragma once

#include "keys/key_service.hpp"

namespace gw {

inline KeyRecord pending_record(CreateKey&& request, const KeyId& id, std::string last4, const Actor& who, WallTime now)
{
    KeyRecord record;
    record.id = id;
    record.tenant = std::move(request.tenant);
    record.owner = std::move(request.owner);
    record.name = std::move(request.name);
    record.environment = request.environment;
    record.scopes = std::move(request.scopes);
    record.plan = std::move(request.plan);
    record.limits = std::move(request.limits);
    record.allowed_ips = std::move(request.allowed_ips);
    record.description = std::move(request.description);
    record.metadata = std::move(request.metadata);
    record.external_id = std::move(request.external_id);
    record.expires_at = request.expires_at;
    record.management = request.management;
    record.status = KeyStatus::pending;
    record.created_at = record.updated_at = record.rotated_at = now;
    record.created_by = who.id;

    KeyVersion first;
    first.number = 1;
    first.last4 = std::move(last4);
    first.created_at = now;
    record.versions.push_back(std::move(first));
    return record;
}

inline void default_owner(Owner& owner, const Actor& who)
{
    if (!owner.id.str().empty())
        return;
    if (auto id = OwnerId::parse(who.id)) { // else validation asks for one
        owner.type = who.type == "user" ? "user" : "service";
        owner.id = std::move(*id);
    }
}

} // namespace gw
