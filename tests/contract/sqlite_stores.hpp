// The SQLite stores for the contract suites and for the tests of this adapter, in a folder of their own.
#pragma once

#include "adapters/sqlite/audit_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/key_store.hpp"
#include "adapters/sqlite/node_registry.hpp"
#include "adapters/sqlite/quota_store.hpp"
#include "adapters/sqlite/tenant_store.hpp"
#include "adapters/sqlite/usage_store.hpp"
#include "contract/stores_under_test.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace gw::contract {

class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "portcullis-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("cannot create " + name);
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

class SqliteStores final : public StoresUnderTest {
public:
    explicit SqliteStores(const std::filesystem::path& file, sqlite::Database::Options options = {})
        : database_(file, options), keys_(database_, pool_, [this] { return now(); }),
          tenants_(database_, pool_, [this] { return now(); }),
          audit_(database_, pool_, [this] { return now(); }),
          usage_(database_, pool_, [this] { return now(); }), quotas_(database_, pool_),
          nodes_(database_, pool_, [this] { return now(); })
    {
    }

    sqlite::KeyStore& keys() override { return keys_; }
    TenantStore& tenants() override { return tenants_; }
    AuditLog& audit() override { return audit_; }
    UsageStore& usage() override { return usage_; }
    QuotaStore& quotas() override { return quotas_; }
    NodeRegistry& nodes() override { return nodes_; }
    sqlite::Database& database() { return database_; }
    BlockingPool& pool() { return pool_; }

private:
    sqlite::Database database_;
    BlockingPool pool_{4};
    sqlite::KeyStore keys_;
    sqlite::TenantStore tenants_;
    sqlite::AuditLog audit_;
    sqlite::UsageStore usage_;
    sqlite::QuotaStore quotas_;
    sqlite::NodeRegistry nodes_;
};

} // namespace gw::contract
