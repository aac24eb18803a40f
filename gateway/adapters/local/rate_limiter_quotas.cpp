// The slow half: debiting quotas from the store, one flight a counter, and giving back what is left.
#include "adapters/local/rate_limiter.hpp"
#include "domain/finally.hpp"
#include "observe/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace gw::local {

namespace {

using namespace std::chrono_literals;

// How long a failed store is left alone.
constexpr auto k_ask_again_after = 500ms;
constexpr auto k_warn_every = 10s;
// Each round fetches one missing quota or lets somebody else's debit be spent by others first.
constexpr int k_max_rounds = static_cast<int>(k_max_charges) + 16;

} // namespace

// A debit under way, and who waits for it: each on its own worker, woken there.
struct QuotaFlight {
    struct Waiter {
        Executor executor;
        std::shared_ptr<Timer> alarm;
    };

    void land()
    {
        const std::lock_guard lock{mutex};
        has_landed = true;
        for (const Waiter& waiter : waiters)
            asio::post(waiter.executor, [alarm = waiter.alarm] { alarm->cancel(); });
        waiters.clear();
    }
    void leave(const std::shared_ptr<Timer>& alarm)
    {
        const std::lock_guard lock{mutex};
        std::erase_if(waiters, [&](const Waiter& each) { return each.alarm == alarm; });
    }

    std::mutex mutex;
    bool has_landed = false;
    std::vector<Waiter> waiters;
};

namespace {

// Until the flight has landed, or the caller is cancelled.
awaitable<void> wait_for(std::shared_ptr<QuotaFlight> flight)
{
    const Executor executor = co_await asio::this_coro::executor;
    const auto alarm = std::make_shared<Timer>(executor, MonoTime::max());
    {
        const std::lock_guard lock{flight->mutex};
        if (flight->has_landed)
            co_return;
        flight->waiters.push_back({executor, alarm});
    }
    const auto leave = [&] { flight->leave(alarm); };
    const Finally left{leave};
    // The wake-up is posted to this thread, so it cannot run before the wait has begun.
    [[maybe_unused]] const auto [ec] = co_await alarm->async_wait(no_throw);
}

} // namespace

// A debit as it was asked for, and what came of it.
struct RateLimiter::Landing {
    Need need;
    QuotaWindow window;
    std::uint64_t wanted = 0;
    std::shared_ptr<QuotaFlight> flight;
    bool answered = false; // false: the asker was cancelled; says nothing about the store
    result<QuotaStore::Grant> grant{make_error_code(errc::unavailable)};
};

awaitable<void> RateLimiter::charge(std::span<const Charge> charges, std::uint64_t cost, LimitAnswer& answer)
{
    for (int round = 0; round < k_max_rounds; ++round) {
        const std::optional<Need> need = attempt(charges, cost, options_.mono_now(), options_.wall_now(), answer);
        if (!need)
            co_return;
        co_await fetch(*need);
    }
    answer.status = LimitAnswer::Status::unreachable; // others took every batch that was fetched
}

// Debits for the counter, or waits for the debit that is under way. Afterwards the counter has more, knows
// that there is no more, or knows that the store is out of reach.
awaitable<void> RateLimiter::fetch(Need need)
{
    Landing landing;
    landing.need = need;
    std::shared_ptr<QuotaFlight> other;
    {
        const CounterTable::Lock lock{table_, std::uint64_t{1} << need.shard};
        QuotaCounter* counter = table_.find_quota(need.shard, need.id);
        if (counter == nullptr) // swept since: the next look makes it again
            co_return;
        if (need.cost == 0)
            counter->queued = false;
        if (options_.mono_now() < counter->ask_again) // another's debit has just failed
            co_return;
        other = counter->flight;
        if (other == nullptr) {
            counter->lot.enter(need.period, options_.wall_now());
            landing.window = counter->lot.window();
            landing.wanted = counter->lot.wanted(need.quota, need.cost);
            landing.flight = counter->flight = std::make_shared<QuotaFlight>();
        }
    }
    if (other != nullptr) {
        if (need.cost > 0)
            co_await wait_for(std::move(other));
        co_return;
    }
    const auto land_it = [&] { land(landing); };
    const Finally landed{land_it}; // also when the caller is cancelled
    quota_debits_.add();
    landing.grant = co_await store_.debit(need.id, landing.window, need.quota, landing.wanted);
    landing.answered = true;
}

void RateLimiter::land(const Landing& landing)
{
    {
        const CounterTable::Lock lock{table_, std::uint64_t{1} << landing.need.shard};
        QuotaCounter* counter = table_.find_quota(landing.need.shard, landing.need.id);
        if (counter != nullptr && counter->flight == landing.flight) {
            counter->flight = nullptr;
            if (landing.grant)
                counter->lot.deposit(landing.window, landing.need.quota, landing.wanted, landing.grant->granted,
                                     landing.grant->used);
            else if (landing.answered)
                counter->ask_again = options_.mono_now() + k_ask_again_after;
        }
    }
    landing.flight->land();
    if (landing.answered && !landing.grant)
        warn_of_outage(landing.grant.error());
}

// Once in ten seconds, however many counters ask.
void RateLimiter::warn_of_outage(error_code error)
{
    const std::int64_t now = options_.mono_now().time_since_epoch().count();
    std::int64_t due = next_warning_.load(std::memory_order_relaxed);
    const std::int64_t next = now + Duration{k_warn_every}.count();
    if (now >= due && next_warning_.compare_exchange_strong(due, next, std::memory_order_relaxed))
        log(LogLevel::warn, "limiter.quota_store_failed", {{"error", error.message()}});
}

void RateLimiter::queue_prefetch(const LimitPolicy& policy, Seat& seat) noexcept
{
    const std::lock_guard lock{low_mutex_};
    if (low_.size() == low_.capacity())
        return; // whoever finds the lot empty asks
    low_.push_back({seat.shard, seat.id, policy.quota_period, policy.quota, 0});
    seat.quota->queued = true;
}

awaitable<void> RateLimiter::refill()
{
    for (;;) {
        Need need;
        {
            const std::lock_guard lock{low_mutex_};
            if (low_.empty())
                co_return;
            need = low_.back();
            low_.pop_back();
        }
        co_await fetch(need);
    }
}

awaitable<void> RateLimiter::shut_down(std::chrono::milliseconds at_most)
{
    struct Unspent {
        CounterId id;
        QuotaWindow window;
        std::uint64_t tokens;
    };
    std::vector<Unspent> all;
    const WallTime wall = options_.wall_now();
    table_.for_each_quota([&](std::size_t, const CounterId& id, QuotaCounter& counter) {
        if (counter.lot.has_ended(wall))
            return;
        if (const std::uint64_t tokens = counter.lot.withdraw(); tokens > 0)
            all.push_back({id, counter.lot.window(), tokens});
    });
    // The largest first, should the time not do for all.
    std::sort(all.begin(), all.end(), [](const Unspent& a, const Unspent& b) { return a.tokens > b.tokens; });
    const MonoTime deadline = options_.mono_now() + at_most;
    for (const Unspent& each : all) {
        if (options_.mono_now() >= deadline)
            break;
        const auto given = co_await store_.give_back(each.id, each.window, each.tokens);
        if (!given)
            log(LogLevel::warn, "limiter.give_back_failed", {{"error", given.error().message()}});
    }
}

} // namespace gw::local
