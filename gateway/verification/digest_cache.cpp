#include "verification/digest_cache.hpp"

#include <algorithm>

namespace gw {

bool KnownVersions::is_complete(WallTime now) const noexcept
{
    return std::all_of(begin(), end(), [&](const KnownVersion& version) {
        return version.proof != KnownVersion::Proof::none || version.ends_at <= now;
    });
}

void KnownVersions::learn(const KnownVersions& other) noexcept
{
    for (auto& mine : *this)
        for (const auto& theirs : other)
            if (theirs.number == mine.number && theirs.proof > mine.proof) {
                mine.proof = theirs.proof;
                mine.pepper = theirs.pepper;
                mine.value = theirs.value;
            }
}

KnownVersions KnownVersions::of(const KeyRecord& record, WallTime now) noexcept
{
    KnownVersions out;
    for (auto it = record.versions.rbegin(); it != record.versions.rend() && out.count < out.items.size(); ++it)
        if (it->is_live(now)) {
            KnownVersion& known = out.items[out.count++];
            known.number = it->number;
            known.ends_at = it->ends_at.value_or(WallTime::max());
        }
    return out;
}

DigestCache::DigestCache(std::size_t max_entries) : max_entries_(std::max(max_entries, std::size_t{1}))
{
    index_.reserve(max_entries_); // one allocation now instead of a pause at every doubling later
}

DigestCache::Entry* DigestCache::find(const KeyId& id) noexcept
{
    const auto found = index_.find(id);
    if (found == index_.end())
        return nullptr;
    Entry& entry = slots_[found->second];
    entry.used = true;
    return &entry;
}

DigestCache::Entry* DigestCache::find_foreign(const Sha256& text) noexcept
{
    const auto found = foreign_.find(text);
    if (found == foreign_.end())
        return nullptr;
    Entry& entry = slots_[found->second];
    entry.used = true;
    return &entry;
}

void DigestCache::remember_foreign(const KeyId& id, ForeignIndex index, const Sha256& text)
{
    const auto found = index_.find(id);
    if (found == index_.end())
        return;
    Entry& entry = slots_[found->second];
    if (entry.is_foreign() && entry.foreign_text == text)
        return;
    forget_foreign(entry);
    entry.foreign_text = text;
    entry.foreign_index = index;
    foreign_[text] = found->second;
}

void DigestCache::forget_foreign(Entry& entry) noexcept
{
    if (!entry.is_foreign())
        return;
    foreign_.erase(entry.foreign_text);
    entry.foreign_index.reset();
}

bool DigestCache::is_current(const KeyRecord& record, const Reading& reading, MonoTime now) const noexcept
{
    if (now - reading.at > k_longest_flight)
        return false;
    if (const auto tombstone = tombstones_.find(record.id);
        tombstone != tombstones_.end() && tombstone->second.record_version > record.record_version)
        return false;
    if (const auto tenant = tenants_.find(record.tenant); tenant != tenants_.end() && tenant->second > reading.epoch)
        return false;
    const auto known = index_.find(record.id);
    return known == index_.end() || slots_[known->second].record_version <= record.record_version;
}

bool DigestCache::offer(const std::shared_ptr<const Principal>& principal, const KnownVersions& versions,
                        const Reading& reading, MonoTime now)
{
    const KeyRecord& record = principal->key;
    if (!is_current(record, reading, now))
        return false;
    Entry& entry = entry_for(record.id);
    if (entry.is_revoked() && entry.record_version != 0)
        return false; // revoked for good: no other record of it can be right
    KnownVersions merged = versions;
    merged.learn(entry.versions);
    const bool is_newer_reading =
        !entry.principal || entry.record_version < record.record_version || entry.read_epoch <= reading.epoch;
    entry.versions = merged;
    if (is_newer_reading) {
        entry.principal = principal;
        entry.record_version = record.record_version;
        entry.loaded = reading.at;
        entry.read_epoch = reading.epoch;
        entry.tenant_changed = &tenants_.try_emplace(record.tenant, 0).first->second;
        entry.voided = false;
    }
    return true;
}

bool DigestCache::offer_revoked(const KeyRecord& record, const Reading& reading, MonoTime now)
{
    if (!is_current(record, reading, now))
        return false;
    Entry& entry = entry_for(record.id);
    entry.principal.reset();
    entry.versions = KnownVersions{};
    entry.record_version = std::max(record.record_version, std::uint64_t{1});
    entry.loaded = reading.at;
    entry.read_epoch = reading.epoch;
    entry.tenant_changed = nullptr;
    entry.voided = false;
    return true;
}

void DigestCache::forget(const KeyId& id) noexcept
{
    const auto found = index_.find(id);
    if (found == index_.end())
        return;
    forget_foreign(slots_[found->second]);
    slots_[found->second] = Entry{};
    free_.push_back(found->second); // has room for every slot: see free_slot
    index_.erase(found);
}

void DigestCache::void_key(const KeyId& id, std::uint64_t record_version, MonoTime now)
{
    ++epoch_;
    bury_old(now);
    Tombstone& tombstone = tombstones_[id];
    tombstone.record_version = std::max(tombstone.record_version, record_version);
    tombstone.until = now + 2 * k_longest_flight;
    burials_.emplace_back(tombstone.until, id);

    const auto found = index_.find(id);
    if (found != index_.end() && slots_[found->second].record_version < record_version)
        slots_[found->second].voided = true;
}

void DigestCache::void_tenant(const TenantId& id)
{
    tenants_[id] = ++epoch_;
}

DigestCache::Entry& DigestCache::entry_for(const KeyId& id)
{
    if (Entry* known = find(id))
        return *known;
    const std::uint32_t slot = free_slot();
    index_.emplace(id, slot);
    slots_[slot] = Entry{};
    slots_[slot].id = id; // not `used` before it is looked up: keys that come once make room for each other
    return slots_[slot];
}

std::uint32_t DigestCache::free_slot()
{
    if (!free_.empty()) {
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        return slot;
    }
    if (slots_.size() < max_entries_) {
        slots_.emplace_back();
        if (free_.capacity() < slots_.size())
            free_.reserve(slots_.size() * 2);
        return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    // Not used since the hand came by last, or worth nothing: at most one round until one is found.
    for (;;) {
        const std::uint32_t slot = hand_;
        hand_ = static_cast<std::uint32_t>((hand_ + 1) % slots_.size());
        Entry& entry = slots_[slot];
        if (!entry.used || entry.is_void()) {
            index_.erase(entry.id);
            forget_foreign(entry);
            return slot;
        }
        entry.used = false;
    }
}

void DigestCache::bury_old(MonoTime now)
{
    while (!burials_.empty() && burials_.front().first <= now) {
        const auto found = tombstones_.find(burials_.front().second);
        if (found != tombstones_.end() && found->second.until <= now)
            tombstones_.erase(found);
        burials_.pop_front();
    }
}

} // namespace gw
