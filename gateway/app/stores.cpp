// See stores.hpp.
#include "app/stores.hpp"

#include "adapters/local/digest_store.hpp"
#include "adapters/local/rate_limiter.hpp"
#include "adapters/local/secret_vault.hpp"
#include "adapters/postgres/audit_log.hpp"
#include "adapters/postgres/change_listener.hpp"
#include "adapters/postgres/key_store.hpp"
#include "adapters/postgres/maintenance.hpp"
#include "adapters/postgres/node_registry.hpp"
#include "adapters/postgres/quota_store.hpp"
#include "adapters/postgres/tenant_store.hpp"
#include "adapters/postgres/usage_store.hpp"
#include "adapters/sqlite/audit_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/key_store.hpp"
#include "adapters/sqlite/maintenance.hpp"
#include "adapters/sqlite/node_registry.hpp"
#include "adapters/sqlite/quota_store.hpp"
#include "adapters/sqlite/serve_lock.hpp"
#include "adapters/sqlite/tenant_store.hpp"
#include "adapters/sqlite/usage_store.hpp"
#include "observe/log.hpp"

#include <filesystem>
#include <functional>
#include <optional>

namespace gw {

namespace {

std::optional<Secret> copy(const std::optional<Secret>& secret)
{
    if (!secret)
        return {};
    return secret->clone();
}

const std::string& with_folder(const std::string& file)
{
    if (const auto folder = std::filesystem::path{file}.parent_path(); !folder.empty())
        std::filesystem::create_directories(folder);
    return file;
}

// The ports that one database stands behind. In order of construction: it outlives its stores.
struct Metadata {
    std::shared_ptr<void> database;
    std::unique_ptr<KeyStore> keys;
    std::unique_ptr<TenantStore> tenants;
    std::unique_ptr<AuditLog> audit;
    std::unique_ptr<UsageStore> usage;
    std::unique_ptr<NodeRegistry> nodes;
    std::unique_ptr<QuotaStore> quotas;
    bool is_exclusive = false;
    std::function<awaitable<void>(WallTime)> maintain;
    std::function<std::unique_ptr<ChangePush>(std::function<void()> wake)> push; // empty: there is no other process
};

void report_maintenance(const error_code& fault)
{
    if (fault)
        log(LogLevel::warn, "stores.maintenance_failed", {{"error", fault.message()}});
}

// The embedded database, locked before anything of it is opened or migrated.
struct Sqlite {
    Sqlite(const std::string& file, Stores::Use use)
        : lock(use == Stores::Use::serve ? std::make_unique<sqlite::ServeLock>(with_folder(file)) : nullptr),
          database(with_folder(file))
    {
    }
    std::unique_ptr<sqlite::ServeLock> lock;
    sqlite::Database database;
};

awaitable<void> maintain_sqlite(sqlite::Database& database, BlockingPool& pool, WallTime now, std::chrono::seconds keep_minutes)
{
    sqlite::Keep keep;
    keep.usage_minutes = keep_minutes;
    awaitable<result<sqlite::Maintained>> work = sqlite::maintain(database, pool, now, keep);
    const result<sqlite::Maintained> done = co_await std::move(work);
    report_maintenance(done ? error_code{} : done.error());
}

Metadata open_sqlite(const Settings& settings, Stores::Use use, BlockingPool& pool)
{
    const auto opened = std::make_shared<Sqlite>(settings.stores.sqlite, use);
    sqlite::Database& database = opened->database;
    Metadata out;
    out.database = opened;
    out.keys = std::make_unique<sqlite::KeyStore>(database, pool);
    out.tenants = std::make_unique<sqlite::TenantStore>(database, pool);
    out.audit = std::make_unique<sqlite::AuditLog>(database, pool);
    out.usage = std::make_unique<sqlite::UsageStore>(database, pool);
    out.nodes = std::make_unique<sqlite::NodeRegistry>(database, pool);
    out.quotas = std::make_unique<sqlite::QuotaStore>(database, pool);
    out.is_exclusive = opened->lock != nullptr;
    out.maintain = [&database, &pool, keep_minutes = settings.usage.keep_minutes](WallTime now) {
        return maintain_sqlite(database, pool, now, keep_minutes);
    };
    return out;
}

postgres::Database::Options postgres_options(const PostgresSettings& settings)
{
    postgres::Database::Options options;
    options.url = settings.url.clone();
    options.password = copy(settings.password);
    options.connections = settings.pool;
    options.deadline = settings.deadline;
    return options;
}

awaitable<void> maintain_postgres(postgres::Database& database, WallTime now, std::chrono::seconds keep_minutes)
{
    postgres::Keep keep;
    keep.usage_minutes = keep_minutes;
    awaitable<result<postgres::Maintained>> work = postgres::maintain(database, now, keep);
    const result<postgres::Maintained> done = co_await std::move(work);
    report_maintenance(done ? error_code{} : done.error());
}

class PostgresPush final : public ChangePush {
public:
    PostgresPush(const postgres::Database& database, std::function<void()> wake)
        : listener_(database.connect_options().clone(), std::move(wake))
    {
    }

private:
    postgres::ChangeListener listener_;
};

Metadata open_postgres(const Settings& settings)
{
    const auto opened = std::make_shared<postgres::Database>(postgres_options(*settings.stores.postgres));
    postgres::Database& database = *opened;
    Metadata out;
    out.database = opened;
    out.keys = std::make_unique<postgres::KeyStore>(database);
    out.tenants = std::make_unique<postgres::TenantStore>(database);
    out.audit = std::make_unique<postgres::AuditLog>(database);
    out.usage = std::make_unique<postgres::UsageStore>(database);
    out.nodes = std::make_unique<postgres::NodeRegistry>(database);
    out.quotas = std::make_unique<postgres::QuotaStore>(database);
    out.maintain = [&database, keep_minutes = settings.usage.keep_minutes](WallTime now) {
        return maintain_postgres(database, now, keep_minutes);
    };
    out.push = [&database](std::function<void()> wake) {
        return std::make_unique<PostgresPush>(database, std::move(wake));
    };
    return out;
}

Metadata open_metadata(const Settings& settings, Stores::Use use, BlockingPool& pool)
{
    if (settings.stores.postgres)
        return open_postgres(settings);
    return open_sqlite(settings, use, pool);
}

std::unique_ptr<SecretVault> open_vault(const Settings& settings, BlockingPool& pool)
{
    return std::make_unique<local::SecretVault>(settings.stores.local_secrets, copy(settings.stores.master_key), pool);
}

std::unique_ptr<DigestStore> open_digests(const Settings& settings, BlockingPool& pool)
{
    return std::make_unique<local::DigestStore>(settings.stores.local_secrets, copy(settings.stores.master_key), pool);
}

} // namespace

// In order of construction: what comes later uses what stands above it.
struct Stores::Opened {
    Opened(const Settings& settings, Use use, BlockingPool& pool, SharedCounter& quota_debits)
        : metadata(open_metadata(settings, use, pool)), vault(open_vault(settings, pool)),
          digests(open_digests(settings, pool)), limiter(*metadata.quotas, quota_debits)
    {
    }

    Metadata metadata;
    std::unique_ptr<SecretVault> vault;
    std::unique_ptr<DigestStore> digests;
    local::RateLimiter limiter;
};

Stores::Stores(const Settings& settings, Use use, BlockingPool& pool, SharedCounter& quota_debits)
    : opened_(std::make_unique<Opened>(settings, use, pool, quota_debits))
{
}

Stores::~Stores() = default;

KeyStore& Stores::keys() noexcept { return *opened_->metadata.keys; }
TenantStore& Stores::tenants() noexcept { return *opened_->metadata.tenants; }
AuditLog& Stores::audit() noexcept { return *opened_->metadata.audit; }
UsageStore& Stores::usage() noexcept { return *opened_->metadata.usage; }
NodeRegistry& Stores::nodes() noexcept { return *opened_->metadata.nodes; }
SecretVault& Stores::vault() noexcept { return *opened_->vault; }
DigestStore& Stores::digests() noexcept { return *opened_->digests; }
RateLimiter& Stores::limiter() noexcept { return opened_->limiter; }

bool Stores::is_exclusive() const noexcept
{
    return opened_->metadata.is_exclusive;
}

std::string Stores::objection_to_split_roles(const Settings& settings)
{
    if (settings.stores.postgres)
        return {};
    return "an SQLite file serves one process, so stores.metadata must be shared before roles can be split: use --role all";
}

awaitable<void> Stores::refill_limits()
{
    return opened_->limiter.refill();
}

void Stores::sweep_limits(MonoTime now)
{
    opened_->limiter.sweep(now);
}

awaitable<void> Stores::maintain(WallTime now)
{
    return opened_->metadata.maintain(now);
}

awaitable<void> Stores::close_limits()
{
    return opened_->limiter.shut_down();
}

std::unique_ptr<ChangePush> Stores::push_changes(std::function<void()> wake)
{
    return opened_->metadata.push ? opened_->metadata.push(std::move(wake)) : nullptr;
}

std::vector<std::string> Stores::migration_plan(const Settings& settings)
{
    if (settings.stores.postgres)
        return postgres::Database::plan(postgres_options(*settings.stores.postgres));
    return sqlite::Database::plan(settings.stores.sqlite);
}

std::vector<std::string> Stores::migrate(const Settings& settings)
{
    if (settings.stores.postgres)
        return postgres::Database::migrate(postgres_options(*settings.stores.postgres));
    std::vector<std::string> pending = migration_plan(settings);
    const sqlite::Database opened{with_folder(settings.stores.sqlite)}; // opening migrates
    return pending;
}

} // namespace gw
