// See open_exchanges.hpp.
#include "request/open_exchanges.hpp"

#include "domain/principal.hpp"

#include <algorithm>

namespace gw {

namespace {

// Why what was begun with this version of the key may not go on; none if it may.
Refusal objection(const KeyRecord& key, std::uint32_t version, WallTime now) noexcept
{
    const KeyVersion* used = key.find_version(version);
    if (key.status == KeyStatus::revoked || key.status == KeyStatus::pending || used == nullptr ||
        !used->is_live(now))
        return Refusal::invalid_key;
    if (key.is_expired(now))
        return Refusal::key_expired;
    return key.status == KeyStatus::disabled || key.tenant_suspended ? Refusal::key_disabled : Refusal::none;
}

} // namespace

void OpenExchanges::Entry::enter(OpenExchanges& list) noexcept
{
    if (x_.principal() == nullptr || list_ != nullptr)
        return;
    list_ = &list;
    place_ = &list.buckets_[bucket_of(key().id)];
    next_ = *place_;
    if (next_ != nullptr)
        next_->place_ = &next_;
    *place_ = this;
    ++list.size_;
    list.expect_end(*this, key());
}

void OpenExchanges::Entry::leave() noexcept
{
    if (list_ == nullptr)
        return;
    list_->clear(*this);
    *place_ = next_;
    if (next_ != nullptr)
        next_->place_ = place_;
    --list_->size_;
    list_ = nullptr;
}

void OpenExchanges::Entry::cut(Refusal why) noexcept
{
    x_.cut = why;
    client_.cancel();
    if (upstream_ != nullptr && *upstream_)
        (*upstream_)->stream().cancel();
}

template <class F>
void OpenExchanges::for_each(F f) noexcept
{
    for (Entry* entry : buckets_)
        for (; entry != nullptr; entry = entry->next_)
            f(*entry);
}

bool OpenExchanges::apply(const Change& change, MonoTime now) noexcept
{
    if (size_ == 0)
        return false;
    ++changes_;
    const std::size_t before = doubted_;
    if (change.subject == Change::Subject::tenant) {
        for_each([&](Entry& entry) {
            if (entry.key().tenant.str() == change.id)
                doubt(entry, now);
        });
    } else if (const auto id = KeyId::parse(change.id)) {
        for (Entry* entry = buckets_[bucket_of(*id)]; entry != nullptr; entry = entry->next_)
            if (entry->key().id == *id && entry->key().record_version < change.record_version)
                doubt(*entry, now);
    }
    return doubted_ > before;
}

void OpenExchanges::doubt(Entry& entry, MonoTime now) noexcept
{
    if (entry.x_.cut != Refusal::none)
        return;
    if (entry.doubt_ == 0) {
        ++doubted_;
        entry.doubted_at_ = now;
    }
    entry.doubt_ = changes_;
}

void OpenExchanges::clear(Entry& entry) noexcept
{
    if (std::exchange(entry.doubt_, 0) != 0)
        --doubted_;
}

void OpenExchanges::cut(Entry& entry, Refusal why) noexcept
{
    clear(entry);
    if (entry.x_.cut != Refusal::none)
        return;
    entry.cut(why);
    entry.ends_at_ = WallTime::max();
    metrics_.exchanges_cut.add();
}

std::optional<OpenExchanges::Doubt> OpenExchanges::any_doubt() const noexcept
{
    if (doubted_ == 0)
        return std::nullopt;
    for (const Entry* entry : buckets_)
        for (; entry != nullptr; entry = entry->next_)
            if (entry->doubt_ != 0)
                return Doubt{entry->key().id, changes_};
    return std::nullopt;
}

void OpenExchanges::settle(const Doubt& doubt, const KeyRecord* record, WallTime wall) noexcept
{
    for (Entry* entry = buckets_[bucket_of(doubt.key)]; entry != nullptr; entry = entry->next_) {
        if (entry->doubt_ == 0 || entry->doubt_ > doubt.number || !(entry->key().id == doubt.key))
            continue;
        const std::uint32_t version = entry->x_.caller.version;
        const Refusal why = record != nullptr ? objection(*record, version, wall) : Refusal::invalid_key;
        if (why != Refusal::none) {
            cut(*entry, why);
            continue;
        }
        clear(*entry);
        expect_end(*entry, *record);
    }
}

void OpenExchanges::expect_end(Entry& entry, const KeyRecord& key) noexcept
{
    const KeyVersion* used = key.find_version(entry.x_.caller.version);
    const WallTime expiry = key.expires_at.value_or(WallTime::max());
    const WallTime version_end = used != nullptr ? used->ends_at.value_or(WallTime::max()) : WallTime::max();
    entry.ends_at_ = std::min(expiry, version_end);
    entry.ends_as_ = expiry <= version_end ? Refusal::key_expired : Refusal::invalid_key;
    first_end_ = std::min(first_end_, entry.ends_at_);
}

void OpenExchanges::sweep(MonoTime now, WallTime wall) noexcept
{
    if (doubted_ > 0)
        for_each([&](Entry& entry) {
            if (entry.doubt_ != 0 && now - entry.doubted_at_ >= k_patience)
                cut(entry, Refusal::store_unavailable);
        });
    if (wall < first_end_)
        return;
    WallTime next = WallTime::max();
    for_each([&](Entry& entry) {
        if (entry.ends_at_ <= wall)
            cut(entry, entry.ends_as_);
        next = std::min(next, entry.ends_at_);
    });
    first_end_ = next;
}

} // namespace gw
