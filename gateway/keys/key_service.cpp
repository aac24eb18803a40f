// Creating, reading and changing keys. Regeneration is in key_rotation.cpp, the end of keys in key_destruction.cpp.
#include "keys/key_service.hpp"

#include "keys/key_audit.hpp"
#include "keys/key_json.hpp"
#include "keys/key_problem.hpp"
#include "keys/key_validation.hpp"
#include "keys/pending_record.hpp"
#include "observe/log.hpp"
#include "ports/digest_store.hpp"
#include "ports/secret_vault.hpp"
#include "ports/tenant_store.hpp"

namespace gw {

namespace {

// The record as it will be, for the audit entry's difference.
KeyRecord changed_record(KeyRecord record, const KeyChanges& changes)
{
    if (changes.name)
        record.name = *changes.name;
    if (changes.scopes)
        record.scopes = *changes.scopes;
    if (changes.plan)
        record.plan = *changes.plan;
    if (changes.limits)
        record.limits = *changes.limits;
    if (changes.allowed_ips)
        record.allowed_ips = *changes.allowed_ips;
    if (changes.description)
        record.description = *changes.description;
    if (changes.metadata)
        record.metadata = *changes.metadata;
    if (changes.external_id)
        record.external_id = *changes.external_id;
    if (changes.expires_at)
        record.expires_at = *changes.expires_at;
    if (changes.status)
        record.status = *changes.status;
    return record;
}

} // namespace

KeyService::KeyService(KeyRules rules, KeyStore& keys, TenantStore& tenants, SecretVault& vault, DigestStore& digests,
                       const PepperRing& peppers, BlockingPool& hashing)
    : rules_(std::move(rules)), keys_(keys), tenants_(tenants), vault_(vault), digests_(digests), peppers_(peppers),
      hashing_(hashing)
{
}

awaitable<key_result<IssuedKey>> KeyService::create(CreateKey request, Actor who)
{
    const WallTime now = clock();
    default_owner(request.owner, who);
    if (auto problem = check_create(request, rules_, who, now))
        co_return std::move(*problem);
    if (!request.expires_at && rules_.max_age)
        request.expires_at = now + *rules_.max_age;

    const auto tenant = co_await tenants_.find(request.tenant);
    if (!tenant)
        co_return problem_of(tenant.error());
    if (!*tenant)
        co_return field_problem("/tenant", "there is no tenant of that name");

    GeneratedKey generated = generate_api_key(rules_.brand, request.environment);
    const KeyRecord pending = pending_record(std::move(request), generated.id, generated.last4, who, now);
    const auto reserved = co_await keys_.reserve(pending);
    if (!reserved) {
        if (reserved.error() == errc::not_found) // deleted since we looked
            co_return field_problem("/tenant", "there is no tenant of that name");
        if (reserved.error() == errc::conflict)
            co_return conflict(pending.external_id ? "the external_id is taken by another key of the tenant"
                                                   : "the new key_id is taken; try again");
        co_return problem_of(reserved.error());
    }
    passed("create.reserved");

    VaultRecord secrets;
    VaultVersion version = co_await hash_version(pending, 1, generated.secret);
    secrets.versions.push_back(std::move(version));
    const Secret entry = secrets.to_json();
    const std::string path = vault_path(pending.tenant, pending.id);
    const auto written = co_await vault_.write(path, entry, 0);
    if (!written) {
        co_await abandon(pending);
        co_return problem_of(written.error());
    }
    passed("create.vault_written");

    AuditEntry why = audit_entry(who, "key.create", pending, now);
    why.details = audit_creation(pending);
    auto active = co_await keys_.activate(pending.id, why);
    if (!active) // it may have been committed: only the sweep can tell
        co_return problem_of(active.error());
    passed("create.activated");
    co_await changed();

    IssuedKey issued;
    issued.record = std::move(*active);
    issued.key = std::move(generated.text);
    co_return issued;
}

awaitable<VaultVersion> KeyService::hash_version(const KeyRecord& record, std::uint32_t number, const Secret& secret)
{
    const Pepper& pepper = peppers_.current(clock());
    VaultVersion version;
    version.number = number;
    version.digest = api_key_digest(pepper.value.reveal(), record.tenant, record.id, number, secret.reveal());
    version.pepper_id = pepper.id;
    const auto hash = [&] { return hash_api_key(secret.reveal(), rules_.bcrypt_cost); };
    version.hash = co_await offload(hashing_, hash);
    co_return version;
}

awaitable<void> KeyService::abandon(const KeyRecord& pending)
{
    // The row goes last: while it stands, the sweep still knows of the Vault entry.
    const auto destroyed = co_await destroy_secrets(pending.tenant, pending.id);
    if (!destroyed)
        co_return;
    KeyStore::Leftover leftover;
    leftover.key = pending.id;
    leftover.tenant = pending.tenant;
    leftover.version = 1;
    leftover.whole_key = true;
    const auto dropped = co_await keys_.drop_leftover(leftover);
    if (!dropped)
        log(LogLevel::warn, "keys.leftover", {{"key_id", pending.id.view()}, {"left_to", "sweep"}});
}

awaitable<key_result<KeyRecord>> KeyService::find_visible(const KeyId& id, const std::optional<TenantId>& tenant)
{
    auto found = co_await keys_.find(id);
    if (!found)
        co_return problem_of(found.error());
    if (!*found || (*found)->status == KeyStatus::pending || (tenant && (*found)->tenant != *tenant))
        co_return not_found();
    co_return std::move(**found);
}

awaitable<key_result<KeyRecord>> KeyService::get(KeyId id, std::optional<TenantId> tenant)
{
    co_return co_await find_visible(id, tenant);
}

awaitable<key_result<KeyPage>> KeyService::list(KeyQuery query)
{
    if (query.limit < 1 || query.limit > 100)
        co_return field_problem("/limit", "must be 1 to 100");
    auto page = co_await keys_.list(query);
    if (!page) {
        if (page.error() == errc::invalid)
            co_return field_problem("/cursor", "is not a cursor of this list; start without one");
        co_return problem_of(page.error());
    }
    co_return std::move(*page);
}

awaitable<key_result<KeyRecord>> KeyService::update(KeyId id, std::optional<TenantId> tenant, KeyChanges changes,
                                                    std::optional<std::uint64_t> if_version, Actor who)
{
    co_return co_await change(id, std::move(tenant), std::move(changes), if_version, std::move(who), "key.update");
}

awaitable<key_result<KeyRecord>> KeyService::change(KeyId id, std::optional<TenantId> tenant, KeyChanges changes,
                                                    std::optional<std::uint64_t> if_version, Actor who,
                                                    std::string action)
{
    const WallTime now = clock();
    // Always written against the version that was read, so that the audit entry's difference is exact; without an
    // If-Match a lost race is ours to repeat.
    for (int attempt = 0; attempt < 5; ++attempt) {
        auto current = co_await find_visible(id, tenant);
        if (!current)
            co_return current.error();
        if (current->status == KeyStatus::revoked)
            co_return conflict("the key is revoked; nothing of it can be changed");
        if (if_version && *if_version != current->record_version)
            co_return stale();
        if (auto problem = check_changes(changes, *current, rules_, who, now))
            co_return std::move(*problem);
        KeyChanges bounded = changes;
        if (rules_.max_age && bounded.expires_at && !*bounded.expires_at)
            bounded.expires_at.emplace(current->rotated_at + *rules_.max_age);
        const KeyRecord wanted = changed_record(*current, bounded);
        if (wanted == *current)
            co_return std::move(*current); // nothing to change, nothing to record

        AuditEntry why = audit_entry(who, action, *current, now);
        why.details = audit_difference(*current, wanted);
        const std::optional<std::uint64_t> expected = current->record_version;
        auto updated = co_await keys_.update(id, bounded, expected, why);
        if (updated) {
            co_await changed();
            co_return std::move(*updated);
        }
        if (updated.error() == errc::not_found)
            co_return not_found();
        if (updated.error() != errc::conflict)
            co_return problem_of(updated.error());
        // A conflict without a newer record is not a race but a taken name.
        auto after = co_await find_visible(id, tenant);
        if (after && after->record_version == current->record_version)
            co_return conflict("the external_id is taken by another key of the tenant");
    }
    co_return conflict("the key is being changed by others; try again");
}

awaitable<key_result<KeyRecord>> KeyService::set_status(KeyId id, std::optional<TenantId> tenant, KeyStatus status,
                                                        Actor who)
{
    KeyChanges changes;
    changes.status = status;
    co_return co_await change(id, std::move(tenant), std::move(changes), std::nullopt, std::move(who),
                              status == KeyStatus::active ? "key.enable" : "key.disable");
}

awaitable<key_result<KeyRecord>> KeyService::disable(KeyId id, std::optional<TenantId> tenant, Actor who)
{
    co_return co_await set_status(id, std::move(tenant), KeyStatus::disabled, std::move(who));
}

awaitable<key_result<KeyRecord>> KeyService::enable(KeyId id, std::optional<TenantId> tenant, Actor who)
{
    co_return co_await set_status(id, std::move(tenant), KeyStatus::active, std::move(who));
}

} // namespace gw
