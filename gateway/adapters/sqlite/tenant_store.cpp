#include "adapters/sqlite/tenant_store.hpp"

#include "adapters/sql/record_codec.hpp"
#include "adapters/sqlite/calls.hpp"
#include "adapters/sqlite/journal.hpp"

namespace gw::sqlite {

using namespace sql;

namespace {

Tenant read_tenant(const Statement& row)
{
    Tenant tenant;
    tenant.id = decode_tenant_id(row.text(0));
    tenant.name = row.text(1);
    if (!row.is_null(2))
        tenant.plan = row.text(2);
    tenant.suspended = row.integer(3) != 0;
    tenant.created_at = decode_time(row.integer(4));
    return tenant;
}

} // namespace

TenantStore::TenantStore(Database& database, BlockingPool& pool, std::function<WallTime()> clock)
    : database_(database), pool_(pool), clock_(std::move(clock))
{
}

awaitable<result<void>> TenantStore::add(const Tenant& tenant, const AuditEntry& why)
{
    auto work = [&](Connection& connection) -> result<void> {
        const auto added =
            connection
                .prepare("INSERT INTO tenants (id, name, plan, suspended, created_at)"
                         " VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING")
                .bind(tenant.id.str(), tenant.name, tenant.plan, tenant.suspended, tenant.created_at)
                .run();
        if (added == 0)
            return errc::conflict;
        const WallTime now = clock_();
        write_change(connection, Change::Subject::tenant, tenant.id.str(), 0, now);
        write_audit(connection, why, now);
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<std::optional<Tenant>>> TenantStore::find(const TenantId& id)
{
    auto work = [&](Connection& connection) -> result<std::optional<Tenant>> {
        auto row =
            connection.prepare("SELECT id, name, plan, suspended, created_at FROM tenants WHERE id = ?");
        row.bind(id.str());
        std::optional<Tenant> found;
        if (row.step())
            found = read_tenant(row);
        return found;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<std::vector<Tenant>>> TenantStore::list()
{
    auto work = [](Connection& connection) -> result<std::vector<Tenant>> {
        auto rows =
            connection.prepare("SELECT id, name, plan, suspended, created_at FROM tenants ORDER BY id");
        std::vector<Tenant> tenants;
        while (rows.step())
            tenants.push_back(read_tenant(rows));
        return tenants;
    };
    co_return co_await read(database_.main(), pool_, database_.deadline(), work);
}

awaitable<result<void>> TenantStore::set_suspended(const TenantId& id, bool suspended, const AuditEntry& why)
{
    auto work = [&](Connection& connection) -> result<void> {
        const auto changed = connection.prepare("UPDATE tenants SET suspended = ? WHERE id = ?")
                                 .bind(suspended, id.str())
                                 .run();
        if (changed == 0)
            return errc::not_found;
        // Also when it was so already: whoever asks again doubts that every node has heard.
        const WallTime now = clock_();
        write_change(connection, Change::Subject::tenant, id.str(), 0, now);
        write_audit(connection, why, now);
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

} // namespace gw::sqlite
