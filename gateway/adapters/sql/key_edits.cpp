#include "adapters/sql/key_edits.hpp"

#include <algorithm>

namespace gw::sql {

namespace {

// At `when`, unless it already ends before.
void end_version(KeyVersion& version, WallTime when)
{
    version.ends_at = std::min(version.ends_at.value_or(when), when);
}

bool is_in_use(const KeyRecord& record) noexcept
{
    return record.status == KeyStatus::active || record.status == KeyStatus::disabled;
}

template <class T>
void replace(T& field, const std::optional<T>& value)
{
    if (value)
        field = *value;
}

} // namespace

result<bool> make_active(KeyRecord& record)
{
    if (record.status != KeyStatus::pending)
        return errc::conflict;
    record.status = KeyStatus::active;
    for (auto& version : record.versions)
        if (version.status == VersionStatus::pending)
            version.status = VersionStatus::live;
    return true;
}

result<bool> make_version_live(KeyRecord& record, std::uint32_t number, WallTime overlap_end, WallTime now)
{
    const auto wanted = std::find_if(record.versions.begin(), record.versions.end(),
                                     [&](const KeyVersion& v) { return v.number == number; });
    if (wanted == record.versions.end())
        return errc::not_found;
    const bool is_overtaken = std::any_of(std::next(wanted), record.versions.end(), [](const KeyVersion& v) {
        return v.status != VersionStatus::pending;
    });
    if (!is_in_use(record) || wanted->status != VersionStatus::pending || is_overtaken)
        return errc::conflict;

    // From the newest down: the first one that is live may overlap.
    bool overlap_is_given = overlap_end <= now;
    for (auto version = std::make_reverse_iterator(wanted); version != record.versions.rend(); ++version) {
        if (version->status != VersionStatus::live)
            continue; // pending ones are left to the sweeper
        if (!overlap_is_given && version->is_live(now)) {
            end_version(*version, overlap_end);
            overlap_is_given = true;
            continue;
        }
        end_version(*version, now);
        version->status = VersionStatus::ended;
    }
    wanted->status = VersionStatus::live;
    record.rotated_at = now;
    return true;
}

result<bool> apply_changes(KeyRecord& record, const KeyChanges& changes,
                           std::optional<std::uint64_t> if_version)
{
    if (changes.status && *changes.status != KeyStatus::active && *changes.status != KeyStatus::disabled)
        return errc::invalid;
    if (if_version && *if_version != record.record_version)
        return errc::conflict;
    if (!is_in_use(record))
        return errc::conflict;
    replace(record.name, changes.name);
    replace(record.scopes, changes.scopes);
    replace(record.plan, changes.plan);
    replace(record.limits, changes.limits);
    replace(record.allowed_ips, changes.allowed_ips);
    replace(record.description, changes.description);
    replace(record.metadata, changes.metadata);
    replace(record.external_id, changes.external_id);
    replace(record.expires_at, changes.expires_at);
    replace(record.status, changes.status);
    return true;
}

result<bool> make_revoked(KeyRecord& record, const std::optional<std::string>& reason, WallTime now)
{
    if (record.status == KeyStatus::revoked)
        return false;
    record.status = KeyStatus::revoked;
    record.revoked_at = now;
    record.revoked_reason = reason;
    for (auto& version : record.versions) {
        end_version(version, now);
        version.status = VersionStatus::ended;
    }
    return true;
}

} // namespace gw::sql
