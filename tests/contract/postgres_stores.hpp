// The PostgreSQL stores for the contract suites and for the tests of this adapter, in a database of their
// own.
#pragma once

#include "adapters/postgres/audit_log.hpp"
#include "adapters/postgres/database.hpp"
#include "adapters/postgres/key_store.hpp"
#include "adapters/postgres/node_registry.hpp"
#include "adapters/postgres/quota_store.hpp"
#include "adapters/postgres/tenant_store.hpp"
#include "adapters/postgres/usage_store.hpp"
#include "contract/stores_under_test.hpp"
#include "support/postgres_server.hpp"

namespace gw::contract {

inline postgres::Database::Options postgres_options(const Secret& url)
{
    postgres::Database::Options options;
    options.url = url.clone();
    return options;
}

class PostgresStores final : public StoresUnderTest {
public:
    // On a database that has been migrated.
    explicit PostgresStores(postgres::Database::Options options)
        : database_(std::move(options)), keys_(database_, [this] { return now(); }),
          tenants_(database_, [this] { return now(); }), audit_(database_, [this] { return now(); }),
          usage_(database_, [this] { return now(); }), quotas_(database_), nodes_(database_)
    {
    }
    // On a new database of the program's server.
    static std::unique_ptr<PostgresStores> fresh()
    {
        const Secret url = PostgresServer::shared().new_database();
        postgres::Database::migrate(postgres_options(url));
        return std::make_unique<PostgresStores>(postgres_options(url));
    }

    postgres::KeyStore& keys() override { return keys_; }
    TenantStore& tenants() override { return tenants_; }
    AuditLog& audit() override { return audit_; }
    UsageStore& usage() override { return usage_; }
    QuotaStore& quotas() override { return quotas_; }
    NodeRegistry& nodes() override { return nodes_; }
    // The registry goes by the server's clock.
    void let_pass(std::chrono::milliseconds by) override { std::this_thread::sleep_for(by); }
    postgres::Database& database() { return database_; }

private:
    postgres::Database database_;
    postgres::KeyStore keys_;
    postgres::TenantStore tenants_;
    postgres::AuditLog audit_;
    postgres::UsageStore usage_;
    postgres::QuotaStore quotas_;
    postgres::NodeRegistry nodes_;
};

} // namespace gw::contract
