// What the contract suites need of an implementation of the metadata stores: a fresh, empty set of them that
// shares one database, on a clock that the suite moves. Each suite is a function that takes a MakeStores and
// is called from a TEST_CASE of the adapter's own file.
#pragma once

#include "ports/audit_log.hpp"
#include "ports/key_store.hpp"
#include "ports/node_registry.hpp"
#include "ports/quota_store.hpp"
#include "ports/tenant_store.hpp"
#include "ports/usage_store.hpp"
#include "support/run_awaitable.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gw::contract {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline const WallTime k_start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + hours{8}};

class StoresUnderTest {
public:
    virtual ~StoresUnderTest() = default;
    virtual KeyStore& keys() = 0;
    virtual TenantStore& tenants() = 0;
    virtual AuditLog& audit() = 0;
    virtual UsageStore& usage() = 0;
    virtual QuotaStore& quotas() = 0;
    virtual NodeRegistry& nodes() = 0;

    WallTime now() const { return WallTime{std::chrono::milliseconds{now_ms_.load()}}; }
    void advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }
    // The time that the node registry goes by: one that takes its server's clock must wait for it.
    virtual void let_pass(std::chrono::milliseconds by) { advance(by); }

    // Things most cases begin with.
    void add_tenant(const std::string& id)
    {
        Tenant tenant;
        tenant.id = TenantId::parse(id).value();
        tenant.name = "Tenant " + id;
        tenant.plan = "free";
        tenant.created_at = now();
        run(tenants().add(tenant, why("tenant.create", id))).value();
    }
    AuditEntry why(const std::string& action, const std::string& target,
                   const std::string& tenant = "acme") const
    {
        AuditEntry entry;
        entry.actor_type = "operator";
        entry.actor = "root";
        entry.action = action;
        entry.target_type = "key";
        entry.target = target;
        entry.tenant = tenant;
        entry.at = now();
        return entry;
    }
    KeyRecord pending_key(const std::string& id, const std::string& name = "billing service",
                          const std::string& tenant = "acme") const
    {
        KeyRecord record;
        record.id = KeyId::parse(id).value();
        record.tenant = TenantId::parse(tenant).value();
        record.owner.id = OwnerId::parse("u_81").value();
        record.name = name;
        record.scopes = {"orders:read"};
        record.status = KeyStatus::pending;
        record.created_at = record.updated_at = record.rotated_at = now();
        record.created_by = "root";
        KeyVersion version;
        version.number = 1;
        version.last4 = "9fQx";
        version.created_at = now();
        record.versions = {version};
        return record;
    }
    KeyRecord add_key(const KeyRecord& pending)
    {
        run(keys().reserve(pending)).value();
        return run(keys().activate(pending.id, why("key.create", pending.id.str()))).value();
    }
    KeyRecord add_key(const std::string& id) { return add_key(pending_key(id)); }

private:
    std::atomic<std::int64_t> now_ms_{k_start.time_since_epoch().count()};
};

using MakeStores = std::function<std::unique_ptr<StoresUnderTest>()>;

inline KeyId key_id(const std::string& text)
{
    return KeyId::parse(text).value();
}

// "K000000000000007"
inline std::string numbered_id(int n)
{
    std::string digits = std::to_string(n);
    return "K" + std::string(15 - digits.size(), '0') + digits;
}

// Calls `work(i)` for i = 0..threads-1, each on a thread of its own, all at once. No assertions in `work`.
template <class Work>
void in_parallel(int threads, Work work)
{
    std::atomic<int> ready{0};
    std::vector<std::thread> running;
    for (int i = 0; i < threads; ++i)
        running.emplace_back([&, i] {
            ++ready;
            while (ready.load() < threads)
                std::this_thread::yield();
            work(i);
        });
    for (auto& thread : running)
        thread.join();
}

} // namespace gw::contract
