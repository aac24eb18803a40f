// A KeyStore in memory that behaves like the contract.
#pragma once

#include "support/fakes/database.hpp"

#include <algorithm>
#include <charconv>

namespace gw {

class FakeKeyStore final : public KeyStore {
public:
    explicit FakeKeyStore(FakeDatabase& database) : db_(database) {}

    awaitable<result<std::optional<KeyRecord>>> find(const KeyId& id) override
    {
        co_await yield_once();
        if (db_.faults.fails("find"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::optional<KeyRecord> out;
        if (const auto found = db_.keys.find(id); found != db_.keys.end())
            out = db_.shown(found->second);
        co_return out;
    }

    awaitable<result<KeyPage>> list(const KeyQuery& query) override
    {
        co_await yield_once();
        if (db_.faults.fails("list"))
            co_return make_error_code(errc::unavailable);
        std::size_t skip = 0;
        const char* end = query.cursor.data() + query.cursor.size();
        if (!query.cursor.empty() && std::from_chars(query.cursor.data(), end, skip).ptr != end)
            co_return make_error_code(errc::invalid);
        const std::lock_guard lock{db_.mutex};
        std::vector<KeyRecord> all;
        for (const auto& [id, record] : db_.keys)
            if (matches(record, query))
                all.push_back(db_.shown(record));
        std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return before(a, b, query.sort); });
        KeyPage page;
        for (std::size_t i = skip; i < all.size() && page.keys.size() < query.limit; ++i)
            page.keys.push_back(all[i]);
        if (skip + page.keys.size() < all.size())
            page.next_cursor = std::to_string(skip + page.keys.size());
        co_return page;
    }

    awaitable<result<void>> reserve(const KeyRecord& pending) override
    {
        co_await yield_once();
        if (db_.faults.fails("reserve"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        if (!db_.tenants.contains(pending.tenant.str()))
            co_return make_error_code(errc::not_found);
        if (db_.keys.contains(pending.id) || db_.is_external_id_taken(pending))
            co_return make_error_code(errc::conflict);
        db_.keys.emplace(pending.id, pending);
        co_return result<void>{};
    }

    awaitable<result<KeyRecord>> activate(const KeyId& id, const AuditEntry& why) override
    {
        co_await yield_once();
        if (db_.faults.fails("activate"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto found = db_.keys.find(id);
        if (found == db_.keys.end() || found->second.status != KeyStatus::pending)
            co_return make_error_code(errc::conflict);
        found->second.status = KeyStatus::active;
        for (auto& version : found->second.versions)
            version.status = VersionStatus::live;
        co_return db_.commit(found->second, why);
    }

    awaitable<result<std::uint32_t>> reserve_version(const KeyId& id, const std::string& last4) override
    {
        co_await yield_once();
        if (db_.faults.fails("reserve_version"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto found = db_.keys.find(id);
        if (found == db_.keys.end() || found->second.status == KeyStatus::pending)
            co_return make_error_code(errc::not_found);
        if (found->second.status == KeyStatus::revoked)
            co_return make_error_code(errc::conflict);
        KeyVersion version;
        version.number = found->second.versions.back().number + 1;
        version.last4 = last4;
        version.created_at = db_.clock();
        found->second.versions.push_back(version);
        co_return version.number;
    }

    awaitable<result<KeyRecord>> activate_version(const KeyId& id, std::uint32_t version, WallTime overlap_end,
                                                  const AuditEntry& why) override
    {
        co_await yield_once();
        if (db_.faults.fails("activate_version"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto found = db_.keys.find(id);
        if (found == db_.keys.end())
            co_return make_error_code(errc::not_found);
        KeyRecord& record = found->second;
        const KeyVersion* wanted = record.find_version(version);
        if (record.status == KeyStatus::revoked || !wanted || wanted->status != VersionStatus::pending)
            co_return make_error_code(errc::conflict);
        bool newest = true;
        for (auto it = record.versions.rbegin(); it != record.versions.rend(); ++it) {
            if (it->number == version) {
                it->status = VersionStatus::live;
            } else if (it->number < version && it->is_live(db_.clock())) {
                it->ends_at = newest ? overlap_end : db_.clock();
                if (*it->ends_at <= db_.clock())
                    it->status = VersionStatus::ended;
                newest = false;
            }
        }
        record.rotated_at = db_.clock();
        co_return db_.commit(record, why);
    }

    awaitable<result<KeyRecord>> update(const KeyId& id, const KeyChanges& changes,
                                        std::optional<std::uint64_t> if_version, const AuditEntry& why) override
    {
        co_await yield_once();
        if (db_.faults.fails("update"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto found = db_.keys.find(id);
        if (found == db_.keys.end() || found->second.status == KeyStatus::pending)
            co_return make_error_code(errc::not_found);
        if (found->second.status == KeyStatus::revoked || (if_version && *if_version != found->second.record_version))
            co_return make_error_code(errc::conflict);
        KeyRecord changed = found->second;
        assign(changed, changes);
        if (db_.is_external_id_taken(changed))
            co_return make_error_code(errc::conflict);
        found->second = std::move(changed);
        co_return db_.commit(found->second, why);
    }

    awaitable<result<KeyRecord>> revoke(const KeyId& id, const std::optional<std::string>& reason,
                                        const AuditEntry& why) override
    {
        co_await yield_once();
        if (db_.faults.fails("revoke"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto found = db_.keys.find(id);
        if (found == db_.keys.end() || found->second.status == KeyStatus::pending)
            co_return make_error_code(errc::not_found);
        KeyRecord& record = found->second;
        if (record.status == KeyStatus::revoked)
            co_return db_.shown(record);
        record.status = KeyStatus::revoked;
        record.revoked_at = db_.clock();
        record.revoked_reason = reason;
        Destruction destruction;
        destruction.key = id;
        destruction.tenant = record.tenant;
        db_.outbox.push_back(std::move(destruction));
        co_return db_.commit(record, why);
    }

    awaitable<result<std::vector<Destruction>>> pending_destructions(std::size_t limit) override
    {
        co_await yield_once();
        if (db_.faults.fails("pending_destructions"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::vector<Destruction> out = db_.outbox;
        if (out.size() > limit)
            out.resize(limit);
        co_return out;
    }

    awaitable<result<void>> destruction_done(const KeyId& id) override
    {
        co_await yield_once();
        if (db_.faults.fails("destruction_done"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::erase_if(db_.outbox, [&](const Destruction& item) { return item.key == id; });
        co_return result<void>{};
    }

    awaitable<result<std::vector<Leftover>>> leftovers(WallTime older_than, std::size_t limit) override
    {
        co_await yield_once();
        if (db_.faults.fails("leftovers"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::vector<Leftover> out;
        for (const auto& [id, record] : db_.keys)
            for (const auto& version : record.versions)
                if (version.status == VersionStatus::pending && version.created_at < older_than && out.size() < limit)
                    out.push_back(leftover_of(record, version));
        co_return out;
    }

    awaitable<result<void>> drop_leftover(const Leftover& leftover) override
    {
        co_await yield_once();
        if (db_.faults.fails("drop_leftover"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto found = db_.keys.find(leftover.key);
        if (found == db_.keys.end())
            co_return result<void>{};
        if (leftover.whole_key) {
            if (found->second.status == KeyStatus::pending)
                db_.keys.erase(found);
            co_return result<void>{};
        }
        std::erase_if(found->second.versions, [&](const KeyVersion& version) {
            return version.number == leftover.version && version.status == VersionStatus::pending;
        });
        co_return result<void>{};
    }

    awaitable<result<std::vector<error_code>>> reserve_all(const std::vector<KeyRecord>& pending, bool keep) override
    {
        co_await yield_once();
        if (db_.faults.fails("reserve_all"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        const auto before = db_.keys;
        std::vector<error_code> codes;
        for (const auto& record : pending) {
            const bool is_taken = db_.keys.contains(record.id) || db_.is_external_id_taken(record);
            codes.push_back(!db_.tenants.contains(record.tenant.str()) ? make_error_code(errc::not_found)
                            : is_taken                                ? make_error_code(errc::conflict)
                                                                      : error_code{});
            if (!codes.back())
                db_.keys.emplace(record.id, record);
        }
        if (!keep)
            db_.keys = before;
        co_return codes;
    }

    awaitable<result<std::vector<error_code>>> activate_all(const std::vector<Activation>& activations) override
    {
        co_await yield_once();
        if (db_.faults.fails("activate_all"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::vector<error_code> codes;
        for (const auto& item : activations) {
            const auto found = db_.keys.find(item.key);
            const auto digest = std::pair{item.digest.index, item.digest.value};
            if (found == db_.keys.end() || found->second.status != KeyStatus::pending || db_.imported.contains(digest)) {
                codes.push_back(make_error_code(found == db_.keys.end() ? errc::not_found : errc::conflict));
                continue;
            }
            found->second.status = KeyStatus::active;
            for (auto& version : found->second.versions)
                version.status = VersionStatus::live;
            db_.imported.emplace(digest, item.key);
            db_.commit(found->second, item.why);
            codes.emplace_back();
        }
        co_return codes;
    }

    awaitable<result<std::optional<ImportedKey>>> find_imported(std::span<const ForeignDigest> digests) override
    {
        co_await yield_once();
        if (db_.faults.fails("find_imported"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::optional<ImportedKey> out;
        for (const auto& digest : digests)
            if (const auto found = db_.imported.find({digest.index, digest.value}); !out && found != db_.imported.end()) {
                out.emplace();
                out->key = found->second;
                out->index = digest.index;
            }
        co_return out;
    }

    awaitable<result<ForeignIndexes>> imported_indexes() override
    {
        co_await yield_once();
        if (db_.faults.fails("imported_indexes"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        ForeignIndexes out;
        for (const auto& [digest, key] : db_.imported)
            out.insert(digest.first);
        co_return out;
    }

    awaitable<result<std::vector<Change>>> changes_after(std::uint64_t after, std::size_t limit) override
    {
        co_await yield_once();
        if (db_.faults.fails("changes_after"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        std::vector<Change> out;
        for (const auto& change : db_.changes)
            if (change.sequence > after && out.size() < limit)
                out.push_back(change);
        co_return out;
    }

    awaitable<result<std::uint64_t>> last_change() override
    {
        co_await yield_once();
        if (db_.faults.fails("last_change"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{db_.mutex};
        co_return static_cast<std::uint64_t>(db_.changes.size());
    }

private:
    static Leftover leftover_of(const KeyRecord& record, const KeyVersion& version)
    {
        Leftover out;
        out.key = record.id;
        out.tenant = record.tenant;
        out.version = version.number;
        out.whole_key = record.status == KeyStatus::pending;
        return out;
    }

    static bool matches(const KeyRecord& record, const KeyQuery& query)
    {
        if (record.status == KeyStatus::pending || (query.tenant && record.tenant != *query.tenant) ||
            (query.status && record.status != *query.status) ||
            (query.environment && record.environment != *query.environment) ||
            (query.owner && record.owner.id.str() != *query.owner))
            return false;
        return record.name.find(query.text) != std::string::npos || record.id.str().find(query.text) != std::string::npos;
    }

    static bool before(const KeyRecord& a, const KeyRecord& b, KeyQuery::Sort sort)
    {
        switch (sort) {
        case KeyQuery::Sort::created_desc: return a.created_at > b.created_at;
        case KeyQuery::Sort::created_asc: return a.created_at < b.created_at;
        case KeyQuery::Sort::name_asc: return a.name < b.name;
        case KeyQuery::Sort::name_desc: return a.name > b.name;
        }
        return false;
    }

    static void assign(KeyRecord& record, const KeyChanges& changes)
    {
        record.name = changes.name.value_or(record.name);
        record.scopes = changes.scopes.value_or(record.scopes);
        record.plan = changes.plan.value_or(record.plan);
        record.limits = changes.limits.value_or(record.limits);
        record.allowed_ips = changes.allowed_ips.value_or(record.allowed_ips);
        record.description = changes.description.value_or(record.description);
        record.metadata = changes.metadata.value_or(record.metadata);
        record.external_id = changes.external_id.value_or(record.external_id);
        record.expires_at = changes.expires_at.value_or(record.expires_at);
        record.status = changes.status.value_or(record.status);
    }

    FakeDatabase& db_;
};

} // namespace gw
