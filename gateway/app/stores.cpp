// See stores.hpp.
#include "app/stores.hpp"

#include "adapters/hashicorp/secret_vault.hpp"
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
#include "adapters/redis/clients.hpp"
#include "adapters/redis/digest_store.hpp"
#include "adapters/redis/live_nodes.hpp"
#include "adapters/redis/rate_limiter.hpp"
#include "adapters/sqlite/audit_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/key_store.hpp"
#include "adapters/sqlite/maintenance.hpp"
#include "adapters/sqlite/node_registry.hpp"
#include "adapters/sqlite/quota_store.hpp"
#include "adapters/sqlite/serve_lock.hpp"
#include "adapters/sqlite/tenant_store.hpp"
#include "adapters/sqlite/usage_store.hpp"
#include "net/run_awaitable.hpp"
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

hashicorp::VaultOptions vault_options(const VaultSettings& settings)
{
    hashicorp::VaultOptions out;
    out.host = settings.host;
    out.port = settings.port;
    out.tls = settings.tls;
    out.trust.ca_file = settings.ca_file;
    out.mount = settings.mount;
    out.name_space = settings.name_space;
    out.timeout = settings.timeout;
    if (settings.approle) {
        out.approle.emplace();
        out.approle->role_id = settings.approle->role_id;
        out.approle->secret_id = settings.approle->secret_id.clone();
        out.approle->mount = settings.approle->mount;
    }
    out.token = copy(settings.token);
    return out;
}

std::unique_ptr<SecretVault> open_vault(const Settings& settings, BlockingPool& pool, StoreMetrics& metrics)
{
    if (!settings.stores.vault)
        return std::make_unique<local::SecretVault>(settings.stores.local_secrets, copy(settings.stores.master_key), pool);
    hashicorp::VaultOptions options = vault_options(*settings.stores.vault);
    metrics.vault.is_used = true;
    options.up = &metrics.vault.up;
    return std::make_unique<hashicorp::SecretVault>(std::move(options));
}

redis::Server server_of(const RedisAddress& settings)
{
    redis::Server out;
    out.host = settings.host;
    out.port = settings.port;
    return out;
}

redis::Options redis_options(const RedisSettings& settings)
{
    redis::Options out;
    out.server = server_of(settings.server);
    out.user = settings.user;
    if (settings.password)
        out.password = settings.password->clone();
    out.database = settings.database;
    out.cluster = settings.cluster;
    if (settings.sentinel) {
        out.sentinel.emplace();
        out.sentinel->master = settings.sentinel->master;
        for (const RedisAddress& node : settings.sentinel->nodes)
            out.sentinel->nodes.push_back(server_of(node));
        if (settings.sentinel->password)
            out.sentinel->password = settings.sentinel->password->clone();
    }
    if (settings.tls) {
        out.tls.emplace();
        out.tls->ca = settings.ca_file;
        out.tls->certificate = settings.certificate;
        out.tls->key = settings.key;
    }
    out.command_timeout = settings.command_timeout;
    out.connect_timeout = settings.connect_timeout;
    return out;
}

// What a fleet shares in Redis: its limits, and which secrets have been verified. Each event loop has a connection of
// its own, which its limiter and its digests use together.
struct RedisStores {
    explicit RedisStores(const RedisSettings& settings)
        : key_prefix(settings.key_prefix), clients(redis_options(settings)), nodes(key_prefix, "node-" + random_base62(12))
    {
    }

    std::string key_prefix;
    redis::Clients clients;
    redis::OutageBoard board;
    redis::LiveNodes nodes;

    // The connection of the loop ends with its limiter.
    struct Worker {
        redis::Clients& clients;
        Executor executor;
        std::unique_ptr<redis::RateLimiter> limiter;
        ~Worker() { clients.leave(executor); } // answers what waits, for which the limiter must still be there
    };
    std::shared_ptr<RateLimiter> limiter(unsigned workers, Executor executor, WorkerMetrics& metrics)
    {
        redis::RateLimiterOptions limits;
        limits.key_prefix = key_prefix;
        limits.workers = workers;
        limits.live_nodes = [this] { return nodes.count(); };
        std::shared_ptr<Worker> owner{new Worker{clients, executor, {}}};
        redis::Client& client = clients.of(executor);
        owner->limiter = std::make_unique<redis::RateLimiter>(client, executor, metrics, board, std::move(limits));
        return {owner, owner->limiter.get()};
    }

    awaitable<void> beat()
    {
        redis::Client& client = clients.of(co_await asio::this_coro::executor);
        (void)co_await nodes.beat(client); // an outage is the limiters' to tell
    }
    // At the end, on the control thread.
    awaitable<void> leave()
    {
        const Executor here = co_await asio::this_coro::executor;
        (void)co_await nodes.leave(clients.of(here));
        clients.leave(here);
    }
};

std::unique_ptr<RedisStores> open_redis(const Settings& settings)
{
    if (!settings.stores.redis_limits)
        return {};
    return std::make_unique<RedisStores>(*settings.stores.redis_limits);
}

// Verified digests: with the fleet's limits, or sealed on this node, also when the secrets lie in a Vault.
std::unique_ptr<DigestStore> open_digests(const Settings& settings, RedisStores* shared, BlockingPool& pool)
{
    if (shared == nullptr)
        return std::make_unique<local::DigestStore>(settings.stores.local_secrets, copy(settings.stores.master_key), pool);
    redis::DigestStore::Options options;
    options.key_prefix = shared->key_prefix;
    return std::make_unique<redis::DigestStore>(shared->clients, std::move(options));
}

} // namespace

// In order of construction: what comes later uses what stands above it.
struct Stores::Opened {
    Opened(const Settings& settings, Use use, BlockingPool& pool, StoreMetrics& metrics)
        : metadata(open_metadata(settings, use, pool)), vault(open_vault(settings, pool, metrics)),
          redis(open_redis(settings)), digests(open_digests(settings, redis.get(), pool))
    {
        if (!redis)
            limiter = std::make_shared<local::RateLimiter>(*metadata.quotas, metrics.quota_debits);
    }

    Metadata metadata;
    std::unique_ptr<SecretVault> vault;
    std::unique_ptr<RedisStores> redis; // null: limits are in memory
    std::unique_ptr<DigestStore> digests;
    std::shared_ptr<local::RateLimiter> limiter; // of all workers; null with Redis
};

Stores::Stores(const Settings& settings, Use use, BlockingPool& pool, StoreMetrics& metrics)
    : opened_(std::make_unique<Opened>(settings, use, pool, metrics))
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

std::shared_ptr<RateLimiter> Stores::limiter(unsigned workers, Executor executor, WorkerMetrics& metrics)
{
    if (opened_->redis)
        return opened_->redis->limiter(workers, std::move(executor), metrics);
    return opened_->limiter;
}

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
    if (opened_->limiter)
        co_await opened_->limiter->refill();
}

awaitable<void> Stores::sweep_limits(MonoTime now)
{
    if (opened_->limiter)
        opened_->limiter->sweep(now);
    if (opened_->redis)
        co_await opened_->redis->beat();
}

awaitable<void> Stores::maintain(WallTime now)
{
    return opened_->metadata.maintain(now);
}

awaitable<void> Stores::close_limits()
{
    if (opened_->limiter)
        co_await opened_->limiter->shut_down();
    if (opened_->redis)
        co_await opened_->redis->leave();
}

ReadVault Stores::vault_reader(const Settings& settings)
{
    auto vault = std::make_shared<hashicorp::SecretVault>(vault_options(*settings.stores.vault));
    return [vault](const std::string& path, const std::string& field) { return run(vault->read_field(path, field)); };
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
