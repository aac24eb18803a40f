// Where key records live (metadata only, never a secret or a hash), with the change sequence.
//
// Every call may come from any worker or admin coroutine at once, and resumes on the caller's executor.
// errc::unavailable: no answer within the store's deadline; on the data path the caller must refuse.
// A mutating call writes the change, its audit entry and its row of the change sequence in one transaction:
// all or nothing. Arguments passed by reference must outlive the await.
#pragma once

#include "domain/errors.hpp"
#include "domain/foreign_key.hpp"
#include "domain/key_record.hpp"
#include "net/asio.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gw {

struct KeyQuery {
    std::optional<TenantId> tenant;     // empty: of all tenants (operators only)
    std::optional<KeyStatus> status;    // pending rows are never listed
    std::optional<Environment> environment;
    std::optional<std::string> owner;
    std::string text;                   // matches name, key_id or last4; empty: all
    enum class Sort : std::uint8_t { created_desc, created_asc, name_asc, name_desc } sort = Sort::created_desc;
    std::size_t limit = 25;             // 1..100
    std::string cursor;                 // opaque, from a previous page; errc::invalid if it is not one
};

struct KeyPage {
    std::vector<KeyRecord> keys;
    std::optional<std::string> next_cursor;
};

// What a PATCH may change; an absent member leaves the field alone. The inner optional is the new value.
struct KeyChanges {
    std::optional<std::string> name;
    std::optional<std::vector<std::string>> scopes;
    std::optional<std::optional<std::string>> plan;
    std::optional<std::vector<LimitPolicy>> limits;
    std::optional<std::vector<Network>> allowed_ips;
    std::optional<std::optional<std::string>> description;
    std::optional<std::string> metadata;
    std::optional<std::optional<std::string>> external_id;
    std::optional<std::optional<WallTime>> expires_at;
    std::optional<KeyStatus> status; // active or disabled only; errc::conflict on a revoked key
};

class KeyStore {
public:
    virtual ~KeyStore() = default;

    // The key, or empty. Disabled, expired, revoked and pending ones are returned too: what they mean is the
    // caller's decision. `tenant_suspended` and `tenant_plan` are filled in.
    virtual awaitable<result<std::optional<KeyRecord>>> find(const KeyId& id) = 0;
    virtual awaitable<result<KeyPage>> list(const KeyQuery& query) = 0;

    // Creation, first half: a row with status pending and version 1 pending. errc::conflict if the id or, within
    // the tenant, the external_id is taken; errc::not_found if the tenant does not exist.
    virtual awaitable<result<void>> reserve(const KeyRecord& pending) = 0;
    // Second half, after the Vault write: pending becomes active. errc::conflict if it is not pending.
    virtual awaitable<result<KeyRecord>> activate(const KeyId& id, const AuditEntry& why) = 0;

    // Regeneration, first half: allocates the next version, pending. errc::not_found; errc::conflict if revoked.
    virtual awaitable<result<std::uint32_t>> reserve_version(const KeyId& id, const std::string& last4) = 0;
    // Second half: the version goes live and the newest live one before it ends at `overlap_end` (at once if
    // that is not in the future); all older ones end at once. Sets rotated_at.
    virtual awaitable<result<KeyRecord>> activate_version(const KeyId& id, std::uint32_t version,
                                                          WallTime overlap_end, const AuditEntry& why) = 0;

    // errc::conflict if `if_version` is given and is not the record's current version.
    virtual awaitable<result<KeyRecord>> update(const KeyId& id, const KeyChanges& changes,
                                                std::optional<std::uint64_t> if_version, const AuditEntry& why) = 0;

    // Ends the key for good and queues the destruction of its Vault entry (the outbox) in the same transaction.
    // Revoking a revoked key changes and writes nothing. errc::not_found.
    virtual awaitable<result<KeyRecord>> revoke(const KeyId& id, const std::optional<std::string>& reason,
                                                const AuditEntry& why) = 0;

    // The outbox: keys whose Vault entries are yet to be destroyed.
    struct Destruction {
        KeyId key;
        TenantId tenant;
    };
    virtual awaitable<result<std::vector<Destruction>>> pending_destructions(std::size_t limit) = 0;
    virtual awaitable<result<void>> destruction_done(const KeyId& id) = 0;

    // What a crash between the halves left behind: keys and versions pending since before `older_than`.
    struct Leftover {
        KeyId key;
        TenantId tenant;
        std::uint32_t version = 0;
        bool whole_key = false; // the key itself is pending, not only a version of it
    };
    virtual awaitable<result<std::vector<Leftover>>> leftovers(WallTime older_than, std::size_t limit) = 0;
    // Deletes the pending key or version, if it still is pending.
    virtual awaitable<result<void>> drop_leftover(const Leftover& leftover) = 0;

    // Import: both halves of creation for many keys at once, each half one transaction; a code for every key, in
    // order. reserve_all: that of reserve; the keys that have no fault are reserved, or, without `keep`, none is and
    // the answers say what would have become of them.
    virtual awaitable<result<std::vector<error_code>>> reserve_all(const std::vector<KeyRecord>& pending, bool keep) = 0;
    // activate_all: that of activate, and errc::conflict if another key has the digest. The digest is in the index
    // for ever from then on, also after the key's end, so that no key comes back by being imported again.
    struct Activation {
        KeyId key;
        ForeignDigest digest;
        AuditEntry why;
    };
    virtual awaitable<result<std::vector<error_code>>> activate_all(const std::vector<Activation>& activations) = 0;
    // The imported key that has one of these digests, and which of them.
    struct ImportedKey {
        KeyId key;
        ForeignIndex index = ForeignIndex::sha256;
    };
    virtual awaitable<result<std::optional<ImportedKey>>> find_imported(std::span<const ForeignDigest> digests) = 0;
    // The indexes that hold any key. Empty: nothing was ever imported.
    virtual awaitable<result<ForeignIndexes>> imported_indexes() = 0;

    // The change sequence after `after`, in commit order, at most `limit`.
    virtual awaitable<result<std::vector<Change>>> changes_after(std::uint64_t after, std::size_t limit) = 0;
    virtual awaitable<result<std::uint64_t>> last_change() = 0;
};

} // namespace gw
