// The decision: which counters admit, from what this worker holds, and what the client is told about each.
#include "adapters/redis/rate_limiter.hpp"

#include "domain/token_bucket.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <random>

namespace gw::redis {

namespace {

constexpr std::size_t k_most_low = 1024;

std::int64_t seconds_up(Duration duration) noexcept
{
    constexpr std::int64_t k_ns = 1'000'000'000;
    const std::int64_t ns = duration.count();
    return std::max<std::int64_t>(1, ns / k_ns + (ns % k_ns > 0 ? 1 : 0));
}

std::string random_holder()
{
    std::random_device random;
    constexpr char k_letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::uniform_int_distribution<std::size_t> letter{0, sizeof k_letters - 2};
    std::string out;
    for (int i = 0; i < 10; ++i)
        out += k_letters[letter(random)];
    return out;
}

bool is_concurrency(const LimitPolicy& policy) noexcept
{
    return policy.kind == LimitPolicy::Kind::concurrency;
}

} // namespace

RateLimiter::RateLimiter(Client& client, Executor executor, WorkerMetrics& metrics, OutageBoard& board,
                         RateLimiterOptions options)
    : client_(client), executor_(std::move(executor)), metrics_(metrics), board_(board), options_(std::move(options)),
      holder_(random_holder()), counters_(16, SeededHash::random())
{
    low_.reserve(k_most_low);
}

void RateLimiter::try_charge(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime,
                             LimitAnswer& answer) noexcept
{
    Attempt a{charges.first(std::min(charges.size(), k_max_charges)), cost, answer};
    if (!attempt(a, now) || answer.status == LimitAnswer::Status::unreachable)
        answer.status = LimitAnswer::Status::ask;
}

// Decides over all charges at once. False: some counter has to be asked about, and nothing was taken.
bool RateLimiter::attempt(Attempt& a, MonoTime now) noexcept
{
    bool refused = false, unreachable = false, asks = false;
    for (std::size_t i = 0; i < a.charges.size(); ++i) {
        look_at(a, i, now);
        refused |= a.seats[i].verdict == Verdict::no && a.charges[i].policy->enforce;
        unreachable |= a.seats[i].verdict == Verdict::unreachable;
        asks |= a.seats[i].verdict == Verdict::ask;
    }
    if (!refused && asks)
        return false;
    using Status = LimitAnswer::Status;
    LimitAnswer& answer = a.answer;
    answer.status = refused ? Status::refused : unreachable ? Status::unreachable : Status::admitted;
    answer.retry_after_seconds = 0;
    answer.shadow_violation = answer.holds_slots = false;
    const bool admitted = answer.status == Status::admitted;
    if (!admitted)
        take_back(a);
    for (std::size_t i = 0; i < a.charges.size(); ++i) {
        Seat& seat = a.seats[i];
        const LimitPolicy& policy = *a.charges[i].policy;
        if (admitted)
            take(policy, a.cost, now, seat);
        describe(policy, a.cost, now, seat, answer.states[i], answer);
        using Slot = LimitAnswer::State::Slot;
        const bool holds = admitted && is_concurrency(policy) && seat.verdict != Verdict::no;
        answer.states[i].slot = !holds ? Slot::none : seat.is_shared ? Slot::shared : Slot::own;
        answer.holds_slots |= holds;
    }
    if (admitted)
        remember_last(a);
    return true;
}

WorkerCounter& RateLimiter::counter_of(const Charge& charge, Seat& seat)
{
    CounterId id = charge.counter;
    auto known = counters_.find(id);
    if (known == counters_.end()) {
        const bool is_full =
            counters_.size() >= (charge.policy->per == CountedPer::ip ? options_.max_counters : 2 * options_.max_counters);
        if (is_full) {
            // As in memory: strangers share one counter that refuses early, rather than grow the table.
            id.partition = k_overflow;
            seat.is_shared = true;
        }
        known = counters_.try_emplace(id).first;
        known->second.slot = is_full ? id.policy.low : charge.slot;
        prepare(known->second, *charge.policy, id);
    }
    return known->second;
}

void RateLimiter::look_at(Attempt& a, std::size_t i, MonoTime now)
{
    const Charge& charge = a.charges[i];
    const LimitPolicy& policy = *charge.policy;
    Seat& seat = a.seats[i];
    WorkerCounter& counter = counter_of(charge, seat);
    seat.counter = &counter;
    seat.estimated = false;
    counter.used_at = now;
    if (seat.is_paid || seat.was_refused) {
        seat.verdict = seat.is_paid ? Verdict::yes : Verdict::no;
        return;
    }
    if (is_concurrency(policy)) {
        const SlotBook::Verdict verdict = counter.slots.check(now);
        seat.verdict = verdict == SlotBook::Verdict::yes  ? Verdict::yes
                       : verdict == SlotBook::Verdict::no ? Verdict::no
                                                          : Verdict::ask;
    } else if (policy.kind == LimitPolicy::Kind::bucket && a.cost > policy.burst) {
        seat.verdict = Verdict::no; // never fits
        return;
    } else if (counter.outage) {
        judge_outage(policy, a.cost, now, seat);
        return;
    } else {
        const TokenLease::Verdict verdict = counter.lease.check(a.cost, now);
        seat.verdict = verdict == TokenLease::Verdict::yes  ? Verdict::yes
                       : verdict == TokenLease::Verdict::no ? Verdict::no
                                                            : Verdict::ask;
    }
    if (seat.verdict != Verdict::ask)
        return;
    if (!degraded_ && !client_.is_up())
        failed(make_error_code(errc::unavailable), counter.key, now);
    if (degraded_)
        judge_outage(policy, a.cost, now, seat);
    else if (seat.gave_up)
        judge_suspect(policy, seat);
}

void RateLimiter::judge_suspect(const LimitPolicy& policy, Seat& seat) noexcept
{
    if (!policy.enforce || policy.on_outage == OnOutage::open)
        seat.verdict = Verdict::uncounted;
    else if (policy.on_outage == OnOutage::closed)
        seat.verdict = Verdict::unreachable;
    else
        seat.verdict = Verdict::no;
}

unsigned RateLimiter::sharers() const
{
    return std::max(1u, options_.live_nodes()) * std::max(1u, options_.workers);
}

void RateLimiter::judge_outage(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, Seat& seat)
{
    WorkerCounter& counter = *seat.counter;
    const bool is_slots = is_concurrency(policy);
    if (!is_slots && !counter.outage) {
        counter.outage.emplace(policy, counter.lease.level(policy, now), sharers(), counter.lease.wait(policy, now), now);
        activate(counter);
    }
    seat.estimated = true;
    if (!policy.enforce || policy.on_outage == OnOutage::open) {
        seat.verdict = Verdict::uncounted;
    } else if (policy.on_outage == OnOutage::closed) {
        seat.verdict = Verdict::unreachable;
    } else {
        const bool has = is_slots ? counter.slots.fits_share(policy, sharers())
                                  : counter.outage->wait_for(cost, now) == Duration::zero();
        seat.verdict = has ? Verdict::yes : Verdict::no;
    }
}

void RateLimiter::take(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, Seat& seat)
{
    WorkerCounter& counter = *seat.counter;
    if (seat.verdict == Verdict::no)
        return;
    if (is_concurrency(policy)) {
        if (!seat.is_paid) // Redis is told of paid ones by the call that paid
            counter.slots.take();
        activate(counter);
    } else if (seat.estimated) {
        counter.outage->take(cost, now);
    } else if (seat.verdict == Verdict::uncounted) {
        counter.backlog += cost;
        activate(counter);
    } else if (!seat.is_paid) {
        counter.lease.take(cost);
        seat.grant = counter.lease.grant();
        look_ahead(counter);
    }
}

// Half of the lease is gone: asks for more while the rest is being spent.
void RateLimiter::look_ahead(WorkerCounter& counter)
{
    if (counter.is_low || counter.flight || low_.size() == k_most_low || !counter.lease.is_low(counter.used_at))
        return;
    counter.is_low = true;
    low_.push_back(&counter);
    if (std::exchange(low_posted_, true))
        return;
    asio::post(executor_, [this] {
        low_posted_ = false;
        for (WorkerCounter* low : low_) {
            low->is_low = false;
            if (!low->flight && !degraded_ && !low->outage)
                spawn(renew(*low));
        }
        low_.clear();
    });
}

void RateLimiter::describe(const LimitPolicy& policy, std::uint64_t cost, MonoTime now, const Seat& seat,
                           LimitAnswer::State& state, LimitAnswer& answer) noexcept
{
    const WorkerCounter& counter = *seat.counter;
    state.violated = seat.verdict == Verdict::no;
    Duration wait{0};
    if (is_concurrency(policy)) {
        state.remaining = counter.slots.remaining(policy);
        state.reset_seconds = 0;
    } else {
        wait = seat.was_refused ? seat.refused_for : counter.lease.wait(policy, now);
        if (counter.outage) {
            state.remaining = counter.outage->remaining(now);
            if (state.violated)
                wait = std::min<Duration>(counter.outage->wait_for(cost, now), std::chrono::hours{1});
        } else {
            state.remaining = state.violated && cost <= 1 ? 0 : counter.lease.remaining(policy, now);
        }
        if (policy.kind == LimitPolicy::Kind::quota)
            state.reset_seconds = seconds_up(counter.lease.wait(policy, now));
        else
            state.reset_seconds = state.remaining > 0       ? refill_seconds(policy, state.remaining)
                                  : wait > Duration::zero() ? seconds_up(wait)
                                                            : refill_seconds(policy, 1);
        if (policy.kind == LimitPolicy::Kind::bucket && cost > policy.burst) // never fits: until the bucket is full
            wait = std::chrono::seconds{refill_seconds(policy, policy.burst)};
    }
    if (!state.violated)
        return;
    const std::int64_t retry_after = policy.kind == LimitPolicy::Kind::quota && !seat.estimated
                                         ? state.reset_seconds
                                         : seconds_up(wait);
    if (policy.enforce)
        answer.retry_after_seconds = std::max(answer.retry_after_seconds, retry_after);
    else
        answer.shadow_violation = true;
}

void RateLimiter::remember_last(const Attempt& a) noexcept
{
    last_count_ = 0;
    for (std::size_t i = 0; i < a.charges.size(); ++i) {
        const Seat& seat = a.seats[i];
        if (seat.verdict != Verdict::yes || seat.estimated || is_concurrency(*a.charges[i].policy))
            continue;
        last_[last_count_++] = {a.charges[i].counter, seat.is_paid ? seat.charge_number : 0, seat.grant};
    }
}

void RateLimiter::refund(std::span<const Charge> charges, std::uint64_t cost) noexcept
{
    for (const Charge& charge : charges) {
        const auto paid = std::find_if(last_.begin(), last_.begin() + last_count_,
                                       [&](const Paid& each) { return each.counter == charge.counter; });
        const auto known = counters_.find(charge.counter);
        if (paid == last_.begin() + last_count_ || known == counters_.end())
            continue;
        WorkerCounter& counter = known->second;
        counter.lease.forget_refusal();
        if (paid->charge_number == 0)
            counter.lease.put_back(cost, paid->grant);
        else if (!degraded_)
            spawn(undo(counter, paid->charge_number, cost));
    }
    last_count_ = 0;
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
        CounterId id = charges[i].counter;
        if (slot == Slot::shared)
            id.partition = k_overflow;
        const auto known = counters_.find(id);
        if (known == counters_.end())
            continue;
        WorkerCounter& counter = known->second;
        counter.slots.release(*charges[i].policy);
        if (counter.slots.wants_telling(options_.mono_now()) && !counter.is_telling && !degraded_)
            spawn(tell(counter));
    }
}

void RateLimiter::activate(WorkerCounter& counter)
{
    if (std::exchange(counter.is_active, true))
        return;
    active_.push_back(&counter);
}

} // namespace gw::redis
