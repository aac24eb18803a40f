// See stores.hpp.
#include "app/stores.hpp"

#include "adapters/local/digest_store.hpp"
#include "adapters/local/rate_limiter.hpp"
#include "adapters/local/secret_vault.hpp"
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

std::unique_ptr<sqlite::ServeLock> lock_for(const Settings& settings, Stores::Use use)
{
    if (use == Stores::Use::beside)
        return {};
    return std::make_unique<sqlite::ServeLock>(with_folder(settings.stores.sqlite));
}

} // namespace

// In order of construction: what comes later uses what stands above it.
struct Stores::Opened {
    Opened(const Settings& settings, Use use, BlockingPool& blocking, SharedCounter& quota_debits)
        : pool(blocking), keep_minutes(settings.usage.keep_minutes), lock(lock_for(settings, use)), database(with_folder(settings.stores.sqlite)),
          keys(database, pool), tenants(database, pool), audit(database, pool), usage(database, pool),
          nodes(database, pool), quotas(database, pool), vault(settings.stores.local_secrets, copy(settings.stores.master_key), pool),
          digests(settings.stores.local_secrets, copy(settings.stores.master_key), pool), limiter(quotas, quota_debits)
    {
    }

    BlockingPool& pool;
    std::chrono::seconds keep_minutes;
    std::unique_ptr<sqlite::ServeLock> lock; // before anything is opened or migrated
    sqlite::Database database;
    sqlite::KeyStore keys;
    sqlite::TenantStore tenants;
    sqlite::AuditLog audit;
    sqlite::UsageStore usage;
    sqlite::NodeRegistry nodes;
    sqlite::QuotaStore quotas;
    local::SecretVault vault;
    local::DigestStore digests;
    local::RateLimiter limiter;
};

Stores::Stores(const Settings& settings, Use use, BlockingPool& pool, SharedCounter& quota_debits)
    : opened_(std::make_unique<Opened>(settings, use, pool, quota_debits))
{
}

Stores::~Stores() = default;

KeyStore& Stores::keys() noexcept { return opened_->keys; }
TenantStore& Stores::tenants() noexcept { return opened_->tenants; }
AuditLog& Stores::audit() noexcept { return opened_->audit; }
UsageStore& Stores::usage() noexcept { return opened_->usage; }
NodeRegistry& Stores::nodes() noexcept { return opened_->nodes; }
SecretVault& Stores::vault() noexcept { return opened_->vault; }
DigestStore& Stores::digests() noexcept { return opened_->digests; }
RateLimiter& Stores::limiter() noexcept { return opened_->limiter; }

bool Stores::is_exclusive() const noexcept
{
    return opened_->lock != nullptr;
}

std::string Stores::objection_to_split_roles(const Settings&)
{
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
    sqlite::Keep keep;
    keep.usage_minutes = opened_->keep_minutes;
    awaitable<result<sqlite::Maintained>> work = sqlite::maintain(opened_->database, opened_->pool, now, keep);
    const result<sqlite::Maintained> done = co_await std::move(work);
    if (!done)
        log(LogLevel::warn, "stores.maintenance_failed", {{"error", done.error().message()}});
}

awaitable<void> Stores::close_limits()
{
    return opened_->limiter.shut_down();
}

std::vector<std::string> Stores::migration_plan(const Settings& settings)
{
    return sqlite::Database::plan(settings.stores.sqlite);
}

} // namespace gw
