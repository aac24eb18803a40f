// A TenantStore in memory that behaves like the contract; it shares its database with FakeKeyStore.
#pragma once

#include "ports/tenant_store.hpp"
#include "support/fakes/database.hpp"

namespace gw {

class FakeTenantStore final : public TenantStore {
public:
    explicit FakeTenantStore(FakeDatabase& database) : db_(database) {}

    awaitable<result<void>> add(const Tenant& tenant, const AuditEntry& why) override
    {
        co_await yield_once();
        if (db_.faults.fails("tenant.add"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        if (!db_.tenants.emplace(tenant.id.str(), tenant).second)
            co_return make_error_code(errc::conflict);
        db_.write_audit(why);
        db_.write_change(Change::Subject::tenant, tenant.id.str(), 0);
        co_return result<void>{};
    }

    awaitable<result<std::optional<Tenant>>> find(const TenantId& id) override
    {
        co_await yield_once();
        if (db_.faults.fails("tenant.find"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::optional<Tenant> out;
        if (const auto found = db_.tenants.find(id.str()); found != db_.tenants.end())
            out = found->second;
        co_return out;
    }

    awaitable<result<std::vector<Tenant>>> list() override
    {
        co_await yield_once();
        if (db_.faults.fails("tenant.list"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::vector<Tenant> out;
        for (const auto& [id, tenant] : db_.tenants)
            out.push_back(tenant);
        co_return out;
    }

    awaitable<result<void>> set_suspended(const TenantId& id, bool suspended, const AuditEntry& why) override
    {
        co_await yield_once();
        if (db_.faults.fails("tenant.set_suspended"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto found = db_.tenants.find(id.str());
        if (found == db_.tenants.end())
            co_return make_error_code(errc::not_found);
        found->second.suspended = suspended;
        db_.write_audit(why);
        db_.write_change(Change::Subject::tenant, id.str(), 0);
        co_return result<void>{};
    }

private:
    FakeDatabase& db_;
};

} // namespace gw
