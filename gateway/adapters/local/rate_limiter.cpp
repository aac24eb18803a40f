// The decision: which counters admit, and what the client is told about each.
#include "adapters/local/rate_limiter.hpp"

#include "domain/token_bucket.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace gw::local {

namespace {

constexpr std::size_t k_max_low = 4096;

// Names each admitted charge of the process; refund() recognises its own by it.
std::atomic<std::uint64_t> g_threads{0};
thread_local std::uint64_t t_ticket = 0;

std::uint64_t next_ticket() noexcept
{
    if (t_ticket == 0)
        t_ticket = (g_threads.fetch_add(1, std::memory_order_relaxed) + 1) << 40;
    return ++t_ticket;
}

std::int64_t seconds_up(Duration duration) noexcept
{
    constexpr std::int64_t k_ns = 1'000'000'000;
    const std::int64_t ns = duration.count();
    return std::max<std::int64_t>(1, ns / k_ns + (ns % k_ns > 0 ? 1 : 0));
}

} // namespace

RateLimiter::RateLimiter(QuotaStore& store, SharedCounter& quota_debits, RateLimiterOptions options)
    : store_(store), quota_debits_(quota_debits), options_(options), table_(options.max_counters)
{
    low_.reserve(k_max_low);
}

void RateLimiter::try_charge(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime wall,
                             LimitAnswer& answer) noexcept
{
    // A store out of reach is charge()'s to report.
    if (attempt(charges, cost, now, wall, answer) || answer.status == LimitAnswer::Status::unreachable)
        answer.status = LimitAnswer::Status::ask;
}

std::uint64_t RateLimiter::lock_mask(std::span<const Charge> charges, std::span<Seat> seats) const noexcept
{
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < charges.size(); ++i) {
        seats[i].shard = table_.shard_of(charges[i].counter);
        mask |= std::uint64_t{1} << seats[i].shard;
    }
    return mask;
}

// Decides over all charges at once. What must be debited first, if anything; else `answer` is complete.
std::optional<RateLimiter::Need> RateLimiter::attempt(std::span<const Charge> charges, std::uint64_t cost, MonoTime now,
                                                      WallTime wall, LimitAnswer& answer)
{
    charges = charges.first(std::min(charges.size(), k_max_charges));
    std::array<Seat, k_max_charges> seats;
    const std::uint64_t mask = lock_mask(charges, seats);
    const CounterTable::Lock lock{table_, mask};
    table_.make_room(mask, now);

    bool refused = false, unreachable = false;
    const Seat* asks = nullptr;
    const LimitPolicy* asking = nullptr;
    for (std::size_t i = 0; i < charges.size(); ++i) {
        Seat& seat = seats[i];
        look_at(charges[i], cost, now, wall, seat);
        refused |= seat.verdict == Verdict::no && charges[i].policy->enforce;
        unreachable |= seat.verdict == Verdict::unreachable;
        if (seat.verdict == Verdict::ask && asks == nullptr) {
            asks = &seat;
            asking = charges[i].policy;
        }
    }

    using Status = LimitAnswer::Status;
    answer.status = refused ? Status::refused : unreachable ? Status::unreachable : Status::admitted;
    answer.retry_after_seconds = 0;
    answer.shadow_violation = false;
    answer.holds_slots = false;
    if (!refused && asks != nullptr)
        return Need{asks->shard, asks->id, asking->quota_period, asking->quota, cost};
    if (answer.status == Status::unreachable)
        return std::nullopt;

    const std::uint64_t ticket = refused ? 0 : next_ticket();
    for (std::size_t i = 0; i < charges.size(); ++i) {
        if (!refused)
            take(charges[i], cost, now, ticket, seats[i]);
        describe(charges[i], cost, now, wall, seats[i], answer.states[i], answer);
        describe_slot(charges[i], !refused, seats[i], answer.states[i], answer);
    }
    return std::nullopt;
}

void RateLimiter::look_at(const Charge& charge, std::uint64_t cost, MonoTime now, WallTime wall, Seat& seat)
{
    const LimitPolicy& policy = *charge.policy;
    if (policy.kind == LimitPolicy::Kind::concurrency) {
        const auto [counter, id] = table_.slots(seat.shard, charge);
        seat.slots = counter;
        seat.id = id;
        seat.verdict = counter->used < policy.concurrency ? Verdict::yes : Verdict::no;
        return;
    }
    if (policy.kind == LimitPolicy::Kind::bucket) {
        const auto [counter, id] = table_.bucket(seat.shard, charge);
        seat.bucket = counter;
        seat.id = id;
        seat.shape = BucketShape::of(policy);
        seat.verdict = counter->bucket.wait_for(seat.shape, cost, now) == Duration::zero() ? Verdict::yes : Verdict::no;
        return;
    }
    const auto [counter, id] = table_.quota(seat.shard, charge);
    seat.quota = counter;
    seat.id = id;
    counter->lot.enter(policy.quota_period, wall);
    switch (counter->lot.check(policy.quota, cost)) {
    case QuotaLot::Verdict::available:
        seat.verdict = Verdict::yes;
        break;
    case QuotaLot::Verdict::refused:
        seat.verdict = Verdict::no;
        break;
    case QuotaLot::Verdict::ask:
        if (now < counter->ask_again)
            judge_outage(policy, cost, now, seat);
        else
            seat.verdict = Verdict::ask;
        break;
    }
}

void RateLimiter::judge_outage(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, Seat& seat) const noexcept
{
    if (!policy.enforce || policy.on_outage == OnOutage::open) {
        seat.verdict = Verdict::uncounted;
    } else if (policy.on_outage == OnOutage::closed) {
        seat.verdict = Verdict::unreachable;
    } else {
        seat.estimated = true;
        seat.shape = seat.quota->lot.outage_shape(policy.quota, cost);
        const bool has = seat.quota->estimate.wait_for(seat.shape, cost, now) == Duration::zero();
        seat.verdict = has ? Verdict::yes : Verdict::no;
    }
}

void RateLimiter::take(const Charge& charge, std::uint64_t cost, MonoTime now, std::uint64_t ticket, Seat& seat) noexcept
{
    if (seat.verdict != Verdict::yes)
        return;
    if (seat.slots != nullptr) {
        ++seat.slots->used;
        return;
    }
    if (seat.bucket != nullptr) {
        seat.bucket->before = seat.bucket->bucket;
        seat.bucket->ticket = ticket;
        seat.bucket->bucket.try_take(seat.shape, cost, now);
        return;
    }
    QuotaCounter& counter = *seat.quota;
    counter.ticket = ticket;
    counter.estimate_before = counter.estimate;
    if (seat.estimated)
        counter.estimate.try_take(seat.shape, cost, now);
    counter.lot.take(cost);
    if (!counter.queued && !counter.flight && now >= counter.ask_again && counter.lot.is_low(charge.policy->quota))
        queue_prefetch(*charge.policy, seat);
}

// What the client is told, after the counter was charged or was not.
void RateLimiter::describe(const Charge& charge, std::uint64_t cost, MonoTime now, WallTime wall, const Seat& seat,
                           LimitAnswer::State& state, LimitAnswer& answer) noexcept
{
    const LimitPolicy& policy = *charge.policy;
    state.violated = seat.verdict == Verdict::no;
    std::int64_t retry_after = 0;
    if (seat.slots != nullptr) {
        state.remaining = policy.concurrency - std::min(policy.concurrency, seat.slots->used);
        state.reset_seconds = 0;
        retry_after = 1; // nobody knows when a request ends
    } else if (seat.bucket != nullptr) {
        const TokenBucket::Level level = seat.bucket->bucket.level(seat.shape, now);
        state.remaining = level.tokens;
        state.reset_seconds = level.tokens > 0 ? refill_seconds(policy, level.tokens) : seconds_up(level.until_next);
        if (state.violated) // a cost above the burst never fits: the time until the bucket is full
            retry_after = seconds_up(
                seat.bucket->bucket.wait_for(seat.shape, std::min(cost, seat.shape.burst), now));
    } else {
        state.remaining = seat.quota->lot.remaining(policy.quota);
        state.reset_seconds = seat.quota->lot.seconds_left(wall);
        retry_after = state.reset_seconds;
        if (state.violated && seat.estimated)
            retry_after = std::min(retry_after, seconds_up(seat.quota->estimate.wait_for(seat.shape, cost, now)));
    }
    if (!state.violated)
        return;
    if (policy.enforce)
        answer.retry_after_seconds = std::max(answer.retry_after_seconds, retry_after);
    else
        answer.shadow_violation = true;
}

void RateLimiter::describe_slot(const Charge& charge, bool admitted, const Seat& seat, LimitAnswer::State& state,
                                LimitAnswer& answer) noexcept
{
    using Slot = LimitAnswer::State::Slot;
    state.slot = Slot::none;
    if (seat.slots == nullptr || !admitted || seat.verdict != Verdict::yes)
        return;
    state.slot = seat.id == charge.counter ? Slot::own : Slot::shared;
    answer.holds_slots = true;
}

void RateLimiter::release(std::span<const Charge> charges, LimitAnswer& answer) noexcept
{
    using Slot = LimitAnswer::State::Slot;
    if (!std::exchange(answer.holds_slots, false))
        return;
    for (std::size_t i = 0; i < std::min(charges.size(), k_max_charges); ++i) {
        const Slot slot = std::exchange(answer.states[i].slot, Slot::none);
        if (slot == Slot::none)
            continue;
        const std::size_t shard = table_.shard_of(charges[i].counter);
        const CounterTable::Lock lock{table_, std::uint64_t{1} << shard};
        table_.release_slot(shard, charges[i], slot == Slot::shared);
    }
}

void RateLimiter::refund(std::span<const Charge> charges, std::uint64_t cost) noexcept
{
    for (const Charge& charge : charges) {
        const std::size_t shard = table_.shard_of(charge.counter);
        const CounterTable::Lock lock{table_, std::uint64_t{1} << shard};
        if (charge.policy->kind == LimitPolicy::Kind::bucket) {
            BucketCounter* counter = table_.find_bucket(shard, charge.counter);
            if (counter != nullptr && counter->ticket == t_ticket && t_ticket != 0) {
                counter->bucket = counter->before;
                counter->ticket = 0;
            }
        } else if (charge.policy->kind == LimitPolicy::Kind::quota) {
            QuotaCounter* counter = table_.find_quota(shard, charge.counter);
            if (counter != nullptr && counter->ticket == t_ticket && t_ticket != 0) {
                counter->lot.give_back(cost);
                counter->estimate = counter->estimate_before;
                counter->ticket = 0;
            }
        }
    }
}

void RateLimiter::sweep(MonoTime now)
{
    table_.sweep(now, options_.wall_now());
}

} // namespace gw::local
