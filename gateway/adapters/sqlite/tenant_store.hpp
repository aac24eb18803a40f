// Tenants in SQLite.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "net/offload.hpp"
#include "ports/tenant_store.hpp"

#include <functional>

namespace gw::sqlite {

class TenantStore final : public gw::TenantStore {
public:
    // `database` and `pool`, on which reads run, must outlive the store.
    TenantStore(Database& database, BlockingPool& pool, std::function<WallTime()> clock = wall_now);

    awaitable<result<void>> add(const Tenant& tenant, const AuditEntry& why) override;
    awaitable<result<std::optional<Tenant>>> find(const TenantId& id) override;
    awaitable<result<std::vector<Tenant>>> list() override;
    awaitable<result<void>> set_suspended(const TenantId& id, bool suspended, const AuditEntry& why) override;

private:
    Database& database_;
    BlockingPool& pool_;
    std::function<WallTime()> clock_;
};

} // namespace gw::sqlite
