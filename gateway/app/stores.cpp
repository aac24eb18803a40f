// See stores.hpp.
#include "app/stores.hpp"

#include "adapters/local/digest_store.hpp"
#include "adapters/local/rate_limiter.hpp"
#include "adapters/local/secret_vault.hpp"
#include "adapters/redis/rate_limiter.hpp"
#include "adapters/sqlite/audit_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/key_store.hpp"
#include "adapters/sqlite/maintenance.hpp"
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
    std::unique_ptr<QuotaStore> quotas;
    std::function<awaitable<void>(WallTime)> maintain;
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
    out.quotas = std::make_unique<sqlite::QuotaStore>(database, pool);
    out.maintain = [&database, &pool, keep_minutes = settings.usage.keep_minutes](WallTime now) {
        return maintain_sqlite(database, pool, now, keep_minutes);
    };
    return out;
}

Metadata open_metadata(const Settings& settings, Stores::Use use, BlockingPool& pool)
{
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

// The limits of a fleet: each worker has a connection and a limiter of its own.
struct RedisLimits {
    redis::Options options;
    redis::OutageBoard board;
    std::function<unsigned()> live_nodes = [] { return 1u; };

    struct Worker {
        std::unique_ptr<redis::RateLimiter> limiter; // outlives what the client abandons
        std::unique_ptr<redis::Client> client;
    };
    std::shared_ptr<RateLimiter> limiter(unsigned workers, Executor executor, WorkerMetrics& metrics)
    {
        redis::RateLimiterOptions limits;
        limits.workers = workers;
        limits.live_nodes = live_nodes;
        const auto owner = std::make_shared<Worker>();
        owner->client = redis::create_client(executor, options);
        owner->limiter = std::make_unique<redis::RateLimiter>(*owner->client, executor, metrics, board, std::move(limits));
        return {owner, owner->limiter.get()};
    }
};

std::unique_ptr<RedisLimits> open_redis_limits(const Settings& settings)
{
    if (!settings.stores.redis_limits)
        return {};
    auto out = std::make_unique<RedisLimits>();
    out->options.server.host = settings.stores.redis_limits->host;
    out->options.server.port = settings.stores.redis_limits->port;
    out->options.command_timeout = settings.stores.redis_limits->command_timeout;
    return out;
}

} // namespace

// In order of construction: what comes later uses what stands above it.
struct Stores::Opened {
    Opened(const Settings& settings, Use use, BlockingPool& pool, SharedCounter& quota_debits)
        : metadata(open_metadata(settings, use, pool)), vault(open_vault(settings, pool)),
          digests(open_digests(settings, pool)), redis_limits(open_redis_limits(settings))
    {
        if (!redis_limits)
            limiter = std::make_shared<local::RateLimiter>(*metadata.quotas, quota_debits);
    }

    Metadata metadata;
    std::unique_ptr<SecretVault> vault;
    std::unique_ptr<DigestStore> digests;
    std::unique_ptr<RedisLimits> redis_limits;
    std::shared_ptr<local::RateLimiter> limiter; // of all workers; null with Redis
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
SecretVault& Stores::vault() noexcept { return *opened_->vault; }
DigestStore& Stores::digests() noexcept { return *opened_->digests; }

std::shared_ptr<RateLimiter> Stores::limiter(unsigned workers, Executor executor, WorkerMetrics& metrics)
{
    if (opened_->redis_limits)
        return opened_->redis_limits->limiter(workers, std::move(executor), metrics);
    return opened_->limiter;
}

awaitable<void> Stores::refill_limits()
{
    if (opened_->limiter)
        co_await opened_->limiter->refill();
}

void Stores::sweep_limits(MonoTime now)
{
    if (opened_->limiter)
        opened_->limiter->sweep(now);
}

awaitable<void> Stores::maintain(WallTime now)
{
    return opened_->metadata.maintain(now);
}

awaitable<void> Stores::close_limits()
{
    if (opened_->limiter)
        co_await opened_->limiter->shut_down();
}

std::vector<std::string> Stores::migration_plan(const Settings& settings)
{
    return sqlite::Database::plan(settings.stores.sqlite);
}

std::vector<std::string> Stores::migrate(const Settings& settings)
{
    std::vector<std::string> pending = migration_plan(settings);
    const sqlite::Database opened{with_folder(settings.stores.sqlite)}; // opening migrates
    return pending;
}

} // namespace gw
