// The stores behind the ports, chosen by the configuration. stores.cpp is the only file of the project that
// names an adapter.
#pragma once

#include "net/asio.hpp"
#include "net/offload.hpp"
#include "observe/metrics.hpp"
#include "ports/audit_log.hpp"
#include "ports/digest_store.hpp"
#include "ports/key_store.hpp"
#include "ports/node_registry.hpp"
#include "ports/rate_limiter.hpp"
#include "ports/secret_vault.hpp"
#include "ports/tenant_store.hpp"
#include "ports/usage_store.hpp"
#include "settings/settings.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gw {

// Hears of other processes' changes as long as it exists.
class ChangePush {
public:
    virtual ~ChangePush() = default;
};

class Stores {
public:
    enum class Use : std::uint8_t {
        beside, // the command line, beside a running `serve`
        serve,  // the one `serve` of an embedded store: takes its lock
    };
    // Opens and, for the embedded store, migrates; a shared one must have been migrated. Throws std::exception with
    // a text that names what to do.
    // `pool` and `quota_debits` must outlive the stores.
    Stores(const Settings& settings, Use use, BlockingPool& pool, SharedCounter& quota_debits);
    ~Stores();
    Stores(const Stores&) = delete;
    Stores& operator=(const Stores&) = delete;

    KeyStore& keys() noexcept;
    TenantStore& tenants() noexcept;
    AuditLog& audit() noexcept;
    UsageStore& usage() noexcept;
    NodeRegistry& nodes() noexcept;
    SecretVault& vault() noexcept;
    DigestStore& digests() noexcept;
    RateLimiter& limiter() noexcept;

    // No other `serve` has the metadata open while this one has: it is the whole fleet.
    bool is_exclusive() const noexcept;

    // Housekeeping, called by serve: every 50 ms, every second, every few minutes, and once at the end.
    awaitable<void> refill_limits();
    void sweep_limits(MonoTime now);
    awaitable<void> maintain(WallTime now);
    awaitable<void> close_limits();

    // Why these stores cannot serve a gateway and an admin process apart; empty if they can.
    static std::string objection_to_split_roles(const Settings& settings);

    // Has `wake` called, on a thread of its own, soon after any process commits a change. Empty if the store is this
    // process's own. Must not outlive the stores.
    std::unique_ptr<ChangePush> push_changes(std::function<void()> wake);

    // The migrations that migrate() would run now.
    static std::vector<std::string> migration_plan(const Settings& settings);
    // Brings the database's schema up to date; those it has run. Throws as opening does.
    static std::vector<std::string> migrate(const Settings& settings);

private:
    struct Opened;
    std::unique_ptr<Opened> opened_;
};

} // namespace gw
