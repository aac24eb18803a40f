// Regeneration: a new secret for a key, the old one living on for an overlap. The same order as creation, so that
// a crash at any point leaves the old secret working and at most a pending version for the sweep.
#include "keys/key_service.hpp"

#include "keys/key_audit.hpp"
#include "keys/key_problem.hpp"
#include "ports/secret_vault.hpp"

#include <algorithm>

namespace gw {

namespace {

constexpr std::chrono::seconds k_max_overlap = std::chrono::days{90};

std::optional<KeyProblem> check_regenerate(const KeyRecord& record, std::chrono::seconds overlap, WallTime now)
{
    if (overlap.count() < 0 || overlap > k_max_overlap)
        return field_problem("/overlap", "must be 0 to 90 days");
    if (record.status == KeyStatus::revoked)
        return conflict("the key is revoked; create a new one");
    if (record.is_expired(now))
        return conflict("the key is expired; change expires_at first, or create a new one");
    return std::nullopt;
}

std::string rotation_details(std::uint32_t version, WallTime overlap_end, std::chrono::seconds overlap)
{
    std::string details = R"({"after":{"version":)" + std::to_string(version) + R"(,"overlap_seconds":)" +
                          std::to_string(overlap.count()) + R"(,"overlap_ends_at":")" + to_rfc3339(overlap_end) + "\"}}";
    return details;
}

} // namespace

awaitable<key_result<IssuedKey>> KeyService::regenerate(KeyId id, std::optional<TenantId> tenant,
                                                        std::chrono::seconds overlap, Actor who)
{
    const WallTime now = clock();
    auto record = co_await find_visible(id, tenant);
    if (!record)
        co_return record.error();
    if (auto problem = check_regenerate(*record, overlap, now))
        co_return std::move(*problem);

    GeneratedKey generated = generate_api_key(rules_.brand, record->environment, id);
    const auto reserved = co_await keys_.reserve_version(id, generated.last4);
    if (!reserved) {
        if (reserved.error() == errc::not_found)
            co_return not_found();
        if (reserved.error() == errc::conflict)
            co_return conflict("the key is revoked; create a new one");
        co_return problem_of(reserved.error());
    }
    passed("regenerate.reserved");

    const VaultVersion version = co_await hash_version(*record, *reserved, generated.secret);
    const auto written = co_await add_to_vault(*record, version);
    if (!written) {
        if (written.error() == errc::not_found)
            co_return conflict("the key's secrets are gone from the vault; revoke it and create a new one");
        co_return problem_of(written.error());
    }
    passed("regenerate.vault_written");

    const WallTime overlap_end = now + overlap;
    AuditEntry why = audit_entry(who, "key.regenerate", *record, now);
    why.details = rotation_details(*reserved, overlap_end, overlap);
    auto active = co_await keys_.activate_version(id, *reserved, overlap_end, why);
    if (!active) {
        if (active.error() == errc::conflict || active.error() == errc::not_found)
            co_return conflict("the key was revoked meanwhile; create a new one");
        co_return problem_of(active.error());
    }
    passed("regenerate.activated");
    co_await changed();

    IssuedKey issued;
    issued.record = std::move(*active);
    issued.key = std::move(generated.text);
    co_return issued;
}

awaitable<result<void>> KeyService::add_to_vault(const KeyRecord& record, const VaultVersion& version)
{
    const WallTime now = clock();
    const std::string path = vault_path(record.tenant, record.id);
    // Versions that `record` knows to have ended prove nothing any more. What it does not know is another's
    // regeneration under way.
    const auto has_ended = [&](const VaultVersion& stored) {
        const KeyVersion* known = record.find_version(stored.number);
        return known && known->status != VersionStatus::pending && !known->is_live(now);
    };
    for (int attempt = 0; attempt < 5; ++attempt) {
        const auto entry = co_await vault_.read(path);
        if (!entry)
            co_return entry.error();
        if (!*entry) // destroyed by a revocation: writing it anew would bring it back
            co_return make_error_code(errc::not_found);
        auto secrets = VaultRecord::from_json((*entry)->data);
        if (!secrets)
            co_return secrets.error();
        std::erase_if(secrets->versions, has_ended);
        const auto place = std::find_if(secrets->versions.begin(), secrets->versions.end(),
                                        [&](const VaultVersion& other) { return other.number >= version.number; });
        if (place != secrets->versions.end() && place->number == version.number)
            co_return make_error_code(errc::corrupt); // numbers are allocated once
        secrets->versions.insert(place, version);
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
