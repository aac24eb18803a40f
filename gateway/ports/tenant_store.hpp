// Organisations. Same rules as KeyStore.
#pragma once

#include "domain/errors.hpp"
#include "domain/key_record.hpp"
#include "net/asio.hpp"

#include <optional>
#include <vector>

namespace gw {

class TenantStore {
public:
    virtual ~TenantStore() = default;

    // errc::conflict if the id is taken.
    virtual awaitable<result<void>> add(const Tenant& tenant, const AuditEntry& why) = 0;
    virtual awaitable<result<std::optional<Tenant>>> find(const TenantId& id) = 0;
    virtual awaitable<result<std::vector<Tenant>>> list() = 0; // by id
    // Suspension is a change of the tenant's subject in the change sequence: every key of it stops within a
    // second, and works again after resuming. errc::not_found.
    virtual awaitable<result<void>> set_suspended(const TenantId& id, bool suspended, const AuditEntry& why) = 0;
};

} // namespace gw
