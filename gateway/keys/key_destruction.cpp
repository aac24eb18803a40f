// The end of keys: revocation, the outbox of Vault entries to destroy, and what crashes left behind.
#include "keys/key_service.hpp"

#include "keys/key_audit.hpp"
#include "keys/key_problem.hpp"
#include "keys/key_validation.hpp"
#include "observe/log.hpp"
#include "ports/digest_store.hpp"
#include "ports/secret_vault.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace gw {

namespace {

constexpr std::size_t k_sweep_batch = 100;
constexpr std::chrono::hours k_leftover_age{1};

std::string revocation_details(const KeyRecord& before, const std::optional<std::string>& reason)
{
    boost::json::object was{{"status", to_string(before.status)}};
    boost::json::object is{{"status", "revoked"}};
    if (reason)
        is["revoked_reason"] = *reason;
    return boost::json::serialize(boost::json::object{{"before", std::move(was)}, {"after", std::move(is)}});
}

} // namespace

awaitable<key_result<KeyRecord>> KeyService::revoke(KeyId id, std::optional<TenantId> tenant,
                                                    std::optional<std::string> reason, Actor who)
{
    const WallTime now = clock();
    if (auto problem = check_reason(reason))
        co_return std::move(*problem);
    auto current = co_await find_visible(id, tenant);
    if (!current)
        co_return current.error();
    if (current->status == KeyStatus::revoked)
        co_return std::move(*current);

    AuditEntry why = audit_entry(who, "key.revoke", *current, now);
    why.details = revocation_details(*current, reason);
    auto revoked = co_await keys_.revoke(id, reason, why);
    if (!revoked) {
        if (revoked.error() == errc::not_found)
            co_return not_found();
        co_return problem_of(revoked.error());
    }
    passed("revoke.committed");
    co_await changed();

    // The key has ended with the commit. The rest is in the outbox, so failing here delays it and loses nothing.
    const auto destroyed = co_await destroy_secrets(revoked->tenant, id);
    if (!destroyed) {
        log(LogLevel::warn, "keys.destruction_delayed", {{"key_id", id.view()}, {"reason", destroyed.error().message()}});
        co_return std::move(*revoked);
    }
    passed("revoke.vault_destroyed");
    const auto done = co_await keys_.destruction_done(id);
    if (!done)
        log(LogLevel::warn, "keys.destruction_delayed", {{"key_id", id.view()}, {"reason", done.error().message()}});
    co_return std::move(*revoked);
}

awaitable<result<void>> KeyService::destroy_secrets(const TenantId& tenant, const KeyId& id)
{
    const std::string path = vault_path(tenant, id);
    auto destroyed = co_await vault_.destroy(path);
    if (!destroyed)
        co_return destroyed.error();
    co_return co_await digests_.erase(id);
}

awaitable<result<KeyService::SweepReport>> KeyService::sweep(WallTime now, std::function<bool()> may_go_on)
{
    SweepReport report;
    for (bool more = true; more;) {
        const auto batch = co_await keys_.pending_destructions(k_sweep_batch);
        if (!batch)
            co_return batch.error();
        for (const auto& item : *batch) {
            if (may_go_on && !may_go_on())
                co_return report;
            const auto destroyed = co_await destroy_secrets(item.tenant, item.key);
            if (!destroyed)
                co_return destroyed.error();
            const auto done = co_await keys_.destruction_done(item.key);
            if (!done)
                co_return done.error();
            ++report.destroyed;
        }
        more = batch->size() == k_sweep_batch;
    }
    for (bool more = true; more;) {
        const auto batch = co_await keys_.leftovers(now - k_leftover_age, k_sweep_batch);
        if (!batch)
            co_return batch.error();
        for (const auto& leftover : *batch) {
            if (may_go_on && !may_go_on())
                co_return report;
            const auto cleared = co_await clear_leftover(leftover);
            if (!cleared)
                co_return cleared.error();
            ++report.cleared;
        }
        more = batch->size() == k_sweep_batch;
    }
    co_return report;
}

awaitable<result<void>> KeyService::clear_leftover(const KeyStore::Leftover& leftover)
{
    // The Vault first and the row last: while the row stands, nothing of it can be forgotten.
    if (leftover.whole_key) {
        auto destroyed = co_await destroy_secrets(leftover.tenant, leftover.key);
        if (!destroyed)
            co_return destroyed.error();
    } else {
        auto removed = co_await remove_from_vault(leftover.tenant, leftover.key, leftover.version);
        if (!removed)
            co_return removed.error();
    }
    co_return co_await keys_.drop_leftover(leftover);
}

awaitable<result<void>> KeyService::remove_from_vault(const TenantId& tenant, const KeyId& id, std::uint32_t version)
{
    const std::string path = vault_path(tenant, id);
    for (int attempt = 0; attempt < 5; ++attempt) {
        const auto entry = co_await vault_.read(path);
        if (!entry)
            co_return entry.error();
        if (!*entry)
            co_return result<void>{};
        auto secrets = VaultRecord::from_json((*entry)->data);
        if (!secrets)
            co_return secrets.error();
        if (std::erase_if(secrets->versions, [&](const VaultVersion& v) { return v.number == version; }) == 0)
            co_return result<void>{};
        const Secret text = secrets->to_json();
        const auto written = co_await vault_.write(path, text, (*entry)->version);
        if (written)
            co_return result<void>{};
        if (written.error() != errc::conflict)
            co_return written.error();
    }
    co_return make_error_code(errc::busy);
}

} // namespace gw
