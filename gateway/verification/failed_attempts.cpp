#include "verification/failed_attempts.hpp"

#include "domain/api_key.hpp"

#include <algorithm>

namespace gw {

namespace {

constexpr BucketShape k_look_ups{5'000'000, 200}; // 200 a second

std::uint64_t random_seed()
{
    std::array<unsigned char, 8> bytes{};
    random_bytes(bytes);
    std::uint64_t seed = 0;
    std::memcpy(&seed, bytes.data(), bytes.size());
    return seed;
}

std::uint64_t mix(std::uint64_t x) noexcept
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

} // namespace

FailedAttempts::Table::Table(const LimitPolicy& policy, std::size_t entries, std::uint64_t seed)
    : shape_(BucketShape::of(policy)), seed_(seed), slots_(std::max(entries / k_ways, std::size_t{1}) * k_ways),
      sets_(slots_.size() / k_ways)
{
}

std::size_t FailedAttempts::Table::set_of(const Name& name) const noexcept
{
    std::uint64_t high = 0, low = 0;
    std::memcpy(&high, name.address.bytes().data(), 8);
    std::memcpy(&low, name.address.bytes().data() + 8, 8);
    std::uint64_t h = mix(mix(seed_ ^ high) ^ low);
    if (name.key)
        h = mix(h ^ std::hash<KeyId>{}(*name.key));
    return static_cast<std::size_t>(h % sets_);
}

FailedAttempts::Slot* FailedAttempts::Table::find(std::size_t set, const Name& name) noexcept
{
    for (std::size_t i = set * k_ways; i < (set + 1) * k_ways; ++i)
        if (slots_[i].taken && slots_[i].name == name)
            return &slots_[i];
    return nullptr;
}

FailedAttempts::Slot& FailedAttempts::Table::slot_for(std::size_t set, const Name& name, MonoTime now) noexcept
{
    if (Slot* known = find(set, name))
        return *known;
    Slot* victim = &slots_[set * k_ways];
    for (std::size_t i = set * k_ways; i < (set + 1) * k_ways; ++i) {
        Slot& slot = slots_[i];
        if (!slot.taken || slot.bucket.is_full(now)) {
            victim = &slot;
            break;
        }
        if (slot.used < victim->used)
            victim = &slot;
    }
    victim->name = name;
    victim->bucket = TokenBucket{};
    victim->taken = true;
    return *victim;
}

bool FailedAttempts::Table::has_token(const Name& name, MonoTime now) noexcept
{
    const std::size_t set = set_of(name);
    const std::lock_guard lock{shards_[set % k_shards]};
    const Slot* slot = find(set, name);
    return !slot || slot->bucket.level(shape_, now).tokens > 0;
}

void FailedAttempts::Table::take(const Name& name, MonoTime now) noexcept
{
    const std::size_t set = set_of(name);
    const std::lock_guard lock{shards_[set % k_shards]};
    Slot& slot = slot_for(set, name, now);
    slot.bucket.try_take(shape_, 1, now);
    slot.used = now;
}

std::size_t FailedAttempts::Table::entries(MonoTime now) const noexcept
{
    std::size_t count = 0;
    for (std::size_t set = 0; set < sets_; ++set) {
        const std::lock_guard lock{shards_[set % k_shards]};
        for (std::size_t i = set * k_ways; i < (set + 1) * k_ways; ++i)
            count += slots_[i].taken && !slots_[i].bucket.is_full(now) ? 1 : 0;
    }
    return count;
}

FailedAttempts::FailedAttempts(const LimitPolicy& per_ip, const LimitPolicy& per_ip_and_key, std::size_t max_entries)
    : seed_(random_seed()), addresses_(per_ip, max_entries / 2, seed_), pairs_(per_ip_and_key, max_entries / 2, ~seed_)
{
}

bool FailedAttempts::may_try(const Address& client, const std::optional<KeyId>& key, MonoTime now) noexcept
{
    Name name{client.counting_prefix(), std::nullopt};
    if (!addresses_.has_token(name, now))
        return false;
    name.key = key;
    return !key || pairs_.has_token(name, now);
}

void FailedAttempts::record_failure(const Address& client, const std::optional<KeyId>& key, MonoTime now) noexcept
{
    Name name{client.counting_prefix(), std::nullopt};
    addresses_.take(name, now);
    name.key = key;
    if (key)
        pairs_.take(name, now);
}

bool FailedAttempts::may_look_up(MonoTime now) noexcept
{
    const std::lock_guard lock{look_ups_mutex_};
    return look_ups_.try_take(k_look_ups, 1, now);
}

std::size_t FailedAttempts::entries(MonoTime now) const noexcept
{
    return addresses_.entries(now) + pairs_.entries(now);
}

} // namespace gw
