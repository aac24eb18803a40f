#include "adapters/postgres/tenant_store.hpp"

#include "adapters/postgres/calls.hpp"
#include "adapters/postgres/journal.hpp"
#include "adapters/postgres/key_rows.hpp"
#include "adapters/sql/record_codec.hpp"

namespace gw::postgres {

using namespace sql;

namespace {

Tenant read_tenant(const Row& row)
{
    Tenant tenant;
    tenant.id = decode_tenant_id(row.text(0));
    tenant.name = row.text(1);
    tenant.plan = optional_text(row, 2);
    tenant.suspended = row.boolean(3);
    tenant.created_at = decode_time(row.integer(4));
    return tenant;
}

} // namespace

TenantStore::TenantStore(Database& database, std::function<WallTime()> clock)
    : database_(database), clock_(std::move(clock))
{
}

awaitable<result<void>> TenantStore::add(const Tenant& tenant, const AuditEntry& why)
{
    auto work = [&](Connection& connection) -> result<void> {
        const auto added =
            connection.query("INSERT INTO tenants (id, name, plan, suspended, created_at)"
                             " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                             tenant.id.str(), tenant.name, tenant.plan, tenant.suspended, tenant.created_at);
        if (added.changed() == 0)
            return errc::conflict;
        const WallTime now = clock_();
        write_audit(connection, why, now);
        write_change(connection, Change::Subject::tenant, tenant.id.str(), 0, now);
        return {};
    };
    co_return co_await write(database_, work);
}

awaitable<result<std::optional<Tenant>>> TenantStore::find(const TenantId& id)
{
    auto work = [&](Connection& connection) -> result<std::optional<Tenant>> {
        const auto rows = connection.query(
            "SELECT id, name, plan, suspended, created_at FROM tenants WHERE id = $1", id.str());
        std::optional<Tenant> found;
        if (!rows.empty())
            found = read_tenant(rows[0]);
        return found;
    };
    co_return co_await read(database_, work);
}

awaitable<result<std::vector<Tenant>>> TenantStore::list()
{
    auto work = [](Connection& connection) -> result<std::vector<Tenant>> {
        const auto rows =
            connection.query("SELECT id, name, plan, suspended, created_at FROM tenants ORDER BY id");
        std::vector<Tenant> tenants;
        for (int i = 0; i < rows.size(); ++i)
            tenants.push_back(read_tenant(rows[i]));
        return tenants;
    };
    co_return co_await read(database_, work);
}

awaitable<result<void>> TenantStore::set_suspended(const TenantId& id, bool suspended, const AuditEntry& why)
{
    auto work = [&](Connection& connection) -> result<void> {
        if (connection.query("UPDATE tenants SET suspended = $1 WHERE id = $2", suspended, id.str())
                .changed() == 0)
            return errc::not_found;
        // Also when it was so already: whoever asks again doubts that every node has heard.
        const WallTime now = clock_();
        write_audit(connection, why, now);
        write_change(connection, Change::Subject::tenant, id.str(), 0, now);
        return {};
    };
    co_return co_await write(database_, work);
}

} // namespace gw::postgres
