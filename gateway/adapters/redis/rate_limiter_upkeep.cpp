// What no request waits for: outages noticed and ended, and the worker's regular look at what it holds.
#include "adapters/redis/rate_limiter.hpp"
#include "domain/finally.hpp"
#include "observe/log.hpp"

#include <algorithm>

namespace gw::redis {

namespace {

using namespace std::chrono_literals;

constexpr auto k_probe_every = 200ms;
constexpr auto k_forget_after = 60s;
constexpr std::size_t k_chains_a_tick = 512;
constexpr auto k_leave_within = 1s;

} // namespace

void RateLimiter::failed(error_code error, std::string_view key, MonoTime sent_at)
{
    failed_key_ = key;
    const bool is_first = !degraded_ && !suspect_since_;
    if (is_first && error == errc::in_doubt) {
        suspect_since_ = options_.mono_now();
        if (!probing_)
            spawn(probe());
        return;
    }
    if (suspect_since_ && error == errc::in_doubt && sent_at < *suspect_since_)
        return; // sent before: says nothing new
    next_probe_ = options_.mono_now() + k_probe_every;
    if (std::exchange(degraded_, true))
        return;
    metrics_.limiter_degraded.add();
    if (board_.workers.fetch_add(1) == 0)
        log(LogLevel::warn, "limiter.degraded", {{"store", "redis"}, {"error", error.message()}});
}

void RateLimiter::answered(MonoTime sent_at)
{
    if (suspect_since_ && sent_at >= *suspect_since_)
        suspect_since_.reset();
}

void RateLimiter::recovered()
{
    suspect_since_.reset();
    if (!std::exchange(degraded_, false))
        return;
    metrics_.limiter_degraded.sub();
    if (board_.workers.fetch_sub(1) == 1)
        log(LogLevel::info, "limiter.recovered", {{"store", "redis"}});
}

awaitable<void> RateLimiter::probe()
{
    probing_ = true;
    const auto end = [this] { probing_ = false; };
    const Finally ended{end};
    const std::string key = failed_key_;
    const std::vector<std::string> words{"PING"};
    const MonoTime sent_at = options_.mono_now();
    awaitable<result<Reply>> asking = client_.command(key, words);
    const result<Reply> reply = co_await std::move(asking);
    if (reply && !reply->is_error())
        recovered();
    else
        failed(reply ? make_error_code(errc::unavailable) : reply.error(), key, sent_at);
}

void RateLimiter::spawn(awaitable<void> work)
{
    ++background_;
    asio::co_spawn(executor_, std::move(work), [this](std::exception_ptr error) {
        --background_;
        if (!error)
            return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            log(LogLevel::error, "limiter.call_failed", {{"what", e.what()}});
        }
    });
}

void RateLimiter::tick(MonoTime now) noexcept
{
    if (degraded_ && !probing_ && now >= next_probe_)
        spawn(probe());
    for (std::size_t i = 0; i < active_.size();) {
        WorkerCounter& counter = *active_[i];
        const bool is_busy = counter.pins > 0 || counter.flight;
        if (!degraded_ && !is_busy) {
            if (counter.outage)
                spawn(settle(counter));
            else if (counter.slots.wants_telling(now))
                spawn(tell(counter));
            else if (counter.backlog > 0 || counter.lease.is_ending(counter.policy, now))
                spawn(renew(counter));
        }
        if (is_busy || counter.holds_anything()) {
            ++i;
            continue;
        }
        counter.is_active = false;
        active_[i] = active_.back();
        active_.pop_back();
    }
    forget_some(now);
}

void RateLimiter::forget_some(MonoTime now)
{
    std::array<CounterId, 64> forgotten;
    std::size_t count = 0;
    const std::size_t chains = counters_.bucket_count();
    for (std::size_t looked = 0; looked < std::min(k_chains_a_tick, chains); ++looked, ++next_chain_) {
        const std::size_t chain = next_chain_ % chains;
        for (auto it = counters_.begin(chain); it != counters_.end(chain); ++it)
            if (count < forgotten.size() && it->second.may_be_forgotten(now - k_forget_after))
                forgotten[count++] = it->first;
    }
    for (std::size_t i = 0; i < count; ++i)
        counters_.erase(forgotten[i]);
}

awaitable<void> RateLimiter::leave()
{
    for (auto& [id, counter] : counters_) {
        if (degraded_)
            break;
        if (counter.lease.tokens() > 0 && !counter.flight)
            spawn(give_up(counter));
        else if (counter.slots.wants_telling(options_.mono_now()))
            spawn(tell(counter));
    }
    const MonoTime until = options_.mono_now() + k_leave_within;
    Timer pause{executor_};
    while (background_ > 0 && options_.mono_now() < until) {
        pause.expires_after(5ms);
        [[maybe_unused]] const auto [ec] = co_await pause.async_wait(no_throw);
    }
}

} // namespace gw::redis
