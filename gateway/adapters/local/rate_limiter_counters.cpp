#include "adapters/local/rate_limiter_counters.hpp"

#include <random>

namespace gw::local {

namespace {

using namespace std::chrono_literals;

constexpr Identity128 k_overflow{~std::uint64_t{0}, ~std::uint64_t{0}};
// A client that comes back within this time finds its counter without an allocation.
constexpr auto k_kept_full = 60s;
constexpr auto k_make_room_every = 100ms;
constexpr std::size_t k_shards_a_sweep = 8;
constexpr std::size_t k_chains_a_lock = 256;

__extension__ using Wide = unsigned __int128;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept
{
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

} // namespace

std::size_t SeededHash::operator()(const CounterId& id) const noexcept
{
    const std::uint64_t policy = fold(id.policy.high ^ seed, id.policy.low ^ 0x9E3779B97F4A7C15u);
    const std::uint64_t partition = fold(id.partition.high ^ policy, id.partition.low ^ seed ^ 0xC2B2AE3D27D4EB4Fu);
    return fold(partition ^ seed, 0xBF58476D1CE4E5B9u);
}

CounterTable::CounterTable(std::size_t max_counters) : max_counters_(max_counters)
{
    std::random_device random;
    hash_.seed = (std::uint64_t{random()} << 32) | random();
    for (Shard& shard : shards_) {
        shard.buckets = decltype(shard.buckets)(16, hash_);
        shard.quotas = decltype(shard.quotas)(16, hash_);
    }
}

CounterTable::Lock::Lock(CounterTable& table, std::uint64_t shards) noexcept : table_(table), shards_(shards)
{
    for (std::uint64_t rest = shards_; rest != 0; rest &= rest - 1)
        table_.shards_[static_cast<std::size_t>(std::countr_zero(rest))].mutex.lock();
}

CounterTable::Lock::~Lock()
{
    for (std::uint64_t rest = shards_; rest != 0; rest &= rest - 1)
        table_.shards_[static_cast<std::size_t>(std::countr_zero(rest))].mutex.unlock();
}

bool CounterTable::is_full_for(const Charge& charge) const noexcept
{
    return size() >= (charge.policy->per == CountedPer::ip ? max_counters_ : 2 * max_counters_);
}

template <class Map>
auto CounterTable::seat(Map& map, const Charge& charge)
{
    if (const auto known = map.find(charge.counter); known != map.end())
        return std::pair{&known->second, charge.counter};
    CounterId id = charge.counter;
    if (is_full_for(charge))
        id.partition = k_overflow;
    const auto [it, is_new] = map.try_emplace(id);
    if (is_new)
        size_.fetch_add(1, std::memory_order_relaxed);
    return std::pair{&it->second, id};
}

CounterTable::BucketAt CounterTable::bucket(std::size_t shard, const Charge& charge)
{
    const auto [counter, id] = seat(shards_[shard].buckets, charge);
    return {counter, id};
}

CounterTable::QuotaAt CounterTable::quota(std::size_t shard, const Charge& charge)
{
    const auto [counter, id] = seat(shards_[shard].quotas, charge);
    return {counter, id};
}

BucketCounter* CounterTable::find_bucket(std::size_t shard, const CounterId& id) noexcept
{
    const auto it = shards_[shard].buckets.find(id);
    return it == shards_[shard].buckets.end() ? nullptr : &it->second;
}

QuotaCounter* CounterTable::find_quota(std::size_t shard, const CounterId& id) noexcept
{
    const auto it = shards_[shard].quotas.find(id);
    return it == shards_[shard].quotas.end() ? nullptr : &it->second;
}

void CounterTable::make_room(std::uint64_t shards, MonoTime now) noexcept
{
    if (size() < max_counters_)
        return;
    for (std::uint64_t rest = shards; rest != 0; rest &= rest - 1) {
        Shard& shard = shards_[static_cast<std::size_t>(std::countr_zero(rest))];
        if (now < shard.next_make_room)
            continue;
        shard.next_make_room = now + k_make_room_every;
        size_.fetch_sub(std::erase_if(shard.buckets, [&](const auto& each) { return each.second.bucket.is_full(now); }),
                        std::memory_order_relaxed);
    }
}

void CounterTable::sweep(MonoTime now, WallTime wall)
{
    for (std::size_t i = 0; i < k_shards_a_sweep; ++i) {
        Shard& shard = shards_[next_swept_.fetch_add(1, std::memory_order_relaxed) % k_shards];
        sweep_buckets(shard, now - k_kept_full);
        sweep_quotas(shard, wall);
    }
}

// A few chains of the map at a time, so that a request waits for microseconds only. If the map is rehashed in
// between, some counters are seen on the next round.
void CounterTable::sweep_buckets(Shard& shard, MonoTime full_since)
{
    std::array<CounterId, k_chains_a_lock> forgotten;
    for (std::size_t chain = 0;;) {
        const std::lock_guard lock{shard.mutex};
        std::size_t count = 0;
        const std::size_t end = std::min(chain + k_chains_a_lock, shard.buckets.bucket_count());
        bool has_room = true;
        while (chain < end && has_room) {
            for (auto it = shard.buckets.begin(chain); it != shard.buckets.end(chain) && has_room; ++it)
                if (it->second.bucket.is_full(full_since)) {
                    forgotten[count++] = it->first;
                    has_room = count < forgotten.size();
                }
            if (has_room)
                ++chain; // else its rest is looked at under the next lock
        }
        for (std::size_t i = 0; i < count; ++i)
            shard.buckets.erase(forgotten[i]);
        size_.fetch_sub(count, std::memory_order_relaxed);
        if (chain >= shard.buckets.bucket_count())
            return;
    }
}

void CounterTable::sweep_quotas(Shard& shard, WallTime wall)
{
    const std::lock_guard lock{shard.mutex};
    const std::size_t count = std::erase_if(shard.quotas, [&](const auto& each) {
        return each.second.lot.has_ended(wall) && !each.second.flight && !each.second.queued;
    });
    size_.fetch_sub(count, std::memory_order_relaxed);
}

} // namespace gw::local
