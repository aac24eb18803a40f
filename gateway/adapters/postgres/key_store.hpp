// Keys in PostgreSQL: gw::KeyStore's contract, for a fleet. What ended, and when, is by the audit entry's
// time (or the clock, where there is none).
#pragma once

#include "adapters/postgres/database.hpp"
#include "ports/key_store.hpp"

#include <functional>

namespace gw::postgres {

class KeyStore final : public gw::KeyStore {
public:
    using Clock = std::function<WallTime()>;

    // `database` must outlive the store.
    explicit KeyStore(Database& database, Clock clock = wall_now);

    awaitable<result<std::optional<KeyRecord>>> find(const KeyId& id) override;
    awaitable<result<KeyPage>> list(const KeyQuery& query) override;

    awaitable<result<void>> reserve(const KeyRecord& pending) override;
    awaitable<result<KeyRecord>> activate(const KeyId& id, const AuditEntry& why) override;
    // errc::conflict also if the key is pending.
    awaitable<result<std::uint32_t>> reserve_version(const KeyId& id, const std::string& last4) override;
    // errc::not_found if there is no such version; errc::conflict if it is not pending, the key is not in
    // use, or a newer version has gone live before it (of two regenerations at once, the older one loses).
    awaitable<result<KeyRecord>> activate_version(const KeyId& id, std::uint32_t version,
                                                  WallTime overlap_end, const AuditEntry& why) override;
    awaitable<result<KeyRecord>> update(const KeyId& id, const KeyChanges& changes,
                                        std::optional<std::uint64_t> if_version,
                                        const AuditEntry& why) override;
    awaitable<result<KeyRecord>> revoke(const KeyId& id, const std::optional<std::string>& reason,
                                        const AuditEntry& why) override;

    awaitable<result<std::vector<Destruction>>> pending_destructions(std::size_t limit) override;
    awaitable<result<void>> destruction_done(const KeyId& id) override;
    awaitable<result<std::vector<Leftover>>> leftovers(WallTime older_than, std::size_t limit) override;
    awaitable<result<void>> drop_leftover(const Leftover& leftover) override;

    awaitable<result<std::vector<error_code>>> reserve_all(const std::vector<KeyRecord>& pending, bool keep) override;
    awaitable<result<std::vector<error_code>>> activate_all(const std::vector<Activation>& activations) override;
    awaitable<result<std::optional<ImportedKey>>> find_imported(std::span<const ForeignDigest> digests) override;
    awaitable<result<ForeignIndexes>> imported_indexes() override;

    awaitable<result<std::vector<Change>>> changes_after(std::uint64_t after, std::size_t limit) override;
    awaitable<result<std::uint64_t>> last_change() override;

private:
    // Changes the record as found. True: save it; false: it stays as it is, which is no error.
    using Edit = std::function<result<bool>(Connection&, KeyRecord&, WallTime now)>;
    // Finds, edits, saves, and writes the change and `why`, in one transaction. The record as it is now.
    awaitable<result<KeyRecord>> edit(const KeyId& id, const AuditEntry& why, Edit change);

    Database& database_;
    Clock clock_;
};

} // namespace gw::postgres
