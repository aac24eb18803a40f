// Step 2 of the ladder: what one worker knows of keys. For each: the record as a Principal, and for each live version
// either the SHA-256 of a secret that was verified, or the digest that a secret must have to be worth verifying.
// Changes void entries and leave tombstones, so that no verification that read an older record can put it back.
// Secrets of a version never change, so what a voided entry proved still counts once the record was read again.
//
// One thread. Looking up allocates nothing.
#pragma once

#include "domain/foreign_key.hpp"
#include "domain/principal.hpp"
#include "domain/time.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gw {

struct Pepper;

// What is known of the secret of one live version.
struct KnownVersion {
    enum class Proof : std::uint8_t {
        none,
        digest, // `value` is its HMAC under `pepper`; null: nothing can match
        secret, // `value` is the SHA-256 of the secret (of an imported key: of its text), which was verified
    };
    std::uint32_t number = 0;
    Proof proof = Proof::none;
    const Pepper* pepper = nullptr; // of a secret: under which its digest is known to lie in the stores
    WallTime ends_at = WallTime::max();
    Sha256 value{};
};

// The live versions of a key, newest first. The stores keep at most two alive.
struct KnownVersions {
    std::array<KnownVersion, 2> items{};
    std::uint8_t count = 0;

    const KnownVersion* begin() const noexcept { return items.data(); }
    const KnownVersion* end() const noexcept { return items.data() + count; }
    KnownVersion* begin() noexcept { return items.data(); }
    KnownVersion* end() noexcept { return items.data() + count; }
    // Every version that is live at `now` has a proof.
    bool is_complete(WallTime now) const noexcept;
    // Takes over what `other` knows of the same versions, where that is more.
    void learn(const KnownVersions& other) noexcept;

    // The live versions of the record, nothing known of their secrets.
    static KnownVersions of(const KeyRecord& record, WallTime now) noexcept;
};

class DigestCache {
public:
    // A verification may put into the cache what it read at most this long ago; tombstones are kept longer.
    static constexpr std::chrono::seconds k_longest_flight{60};

    struct Entry {
        KeyId id;
        std::shared_ptr<const Principal> principal; // null: the key is revoked
        KnownVersions versions;
        std::uint64_t record_version = 0;
        MonoTime loaded{};

        bool is_revoked() const noexcept { return !principal; }
        // Of an imported key that was presented here: the SHA-256 of its text, and by what the stores find it.
        bool is_foreign() const noexcept { return foreign_index.has_value(); }
        std::optional<ForeignIndex> foreign_index;

    private:
        friend class DigestCache;
        Sha256 foreign_text{};
        const std::uint64_t* tenant_changed = nullptr; // epoch of the tenant's last change
        std::uint64_t read_epoch = 0;
        bool voided = false;
        bool used = false;

    public:
        // A change has been applied since its record was read. A revoked key stays revoked.
        bool is_void() const noexcept
        {
            return !is_revoked() && (voided || (tenant_changed && *tenant_changed > read_epoch));
        }
    };

    explicit DigestCache(std::size_t max_entries);

    // Valid until the next call that is not const; void entries are found too.
    Entry* find(const KeyId& id) noexcept;
    // The same by the SHA-256 of an imported key's text, compared in constant time.
    Entry* find_foreign(const Sha256& text) noexcept;
    // Lets find_foreign find the key, if it is here. To be told only of texts that the index of imported keys knows
    // as this key's.
    void remember_foreign(const KeyId& id, ForeignIndex index, const Sha256& text);
    std::size_t size() const noexcept { return index_.size(); }

    // Counts the changes applied. Taken before a record is read and given with what was made of it.
    std::uint64_t epoch() const noexcept { return epoch_; }
    struct Reading {
        std::uint64_t epoch = 0;
        MonoTime at{};
    };
    // Is what was read then of this record version still worth anything?
    bool is_current(const KeyRecord& record, const Reading& reading, MonoTime now) const noexcept;

    // Stores what was made of a reading, and returns true; false if a newer record is known: read it again.
    bool offer(const std::shared_ptr<const Principal>& principal, const KnownVersions& versions, const Reading& reading,
               MonoTime now);
    // The same for a record that is revoked.
    bool offer_revoked(const KeyRecord& record, const Reading& reading, MonoTime now);
    void forget(const KeyId& id) noexcept;

    // A key's or a tenant's change was applied: all that was read before is void.
    void void_key(const KeyId& id, std::uint64_t record_version, MonoTime now);
    void void_tenant(const TenantId& id);

private:
    struct Tombstone {
        std::uint64_t record_version = 0;
        MonoTime until{};
    };

    // SHA-256 is as good as random, and only known keys' stand in the map.
    struct FirstBytes {
        std::size_t operator()(const Sha256& hash) const noexcept
        {
            std::size_t first = 0;
            std::memcpy(&first, hash.data(), sizeof first);
            return first;
        }
    };
    struct ConstantTime {
        bool operator()(const Sha256& a, const Sha256& b) const noexcept { return equal_constant_time(a, b); }
    };

    Entry& entry_for(const KeyId& id);
    void forget_foreign(Entry& entry) noexcept;
    std::uint32_t free_slot();
    void bury_old(MonoTime now);

    const std::size_t max_entries_;
    std::uint64_t epoch_ = 0;
    std::deque<Entry> slots_; // grows to max_entries_ and stays; never moves what it holds
    std::vector<std::uint32_t> free_;
    std::uint32_t hand_ = 0; // CLOCK: the next slot to be judged
    std::unordered_map<KeyId, std::uint32_t> index_;
    std::unordered_map<Sha256, std::uint32_t, FirstBytes, ConstantTime> foreign_;
    std::unordered_map<KeyId, Tombstone> tombstones_;
    std::deque<std::pair<MonoTime, KeyId>> burials_; // by time
    std::unordered_map<TenantId, std::uint64_t> tenants_; // epoch of the last change; nodes never move
};

} // namespace gw
