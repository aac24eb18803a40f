// Tenants in PostgreSQL.
#pragma once

#include "adapters/postgres/database.hpp"
#include "ports/tenant_store.hpp"

#include <functional>

namespace gw::postgres {

class TenantStore final : public gw::TenantStore {
public:
    // `database` must outlive the store.
    explicit TenantStore(Database& database, std::function<WallTime()> clock = wall_now);

    awaitable<result<void>> add(const Tenant& tenant, const AuditEntry& why) override;
    awaitable<result<std::optional<Tenant>>> find(const TenantId& id) override;
    awaitable<result<std::vector<Tenant>>> list() override;
    awaitable<result<void>> set_suspended(const TenantId& id, bool suspended, const AuditEntry& why) override;

private:
    Database& database_;
    std::function<WallTime()> clock_;
};

} // namespace gw::postgres
