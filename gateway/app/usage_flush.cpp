// See usage_flush.hpp.
#include "app/usage_flush.hpp"

#include "domain/api_key.hpp"
#include "observe/log.hpp"

namespace gw {

UsageFlush::UsageFlush(DataPlane& plane, UsageStore& store, Metrics& metrics)
    : plane_(plane), store_(store), metrics_(metrics), node_("node-" + random_base62(12))
{
    batch_.node = node_;
    batch_.sequence = 1;
}

awaitable<void> UsageFlush::send()
{
    if (batch_.rows.empty() && batch_.last_uses.empty())
        co_return;
    metrics_.usage_pending_rows.set(batch_.rows.size());
    awaitable<result<void>> applying = store_.apply(batch_);
    const result<void> applied = co_await std::move(applying);
    if (!applied) {
        in_doubt_ = true;
        metrics_.usage_flush_errors.add();
        log(LogLevel::warn, "usage.flush_failed", {{"error", applied.error().message()}});
        co_return;
    }
    in_doubt_ = false;
    metrics_.usage_flushes.add();
    metrics_.usage_pending_rows.set(0);
    ++batch_.sequence;
    batch_.rows.clear();
    batch_.last_uses.clear();
}

awaitable<void> UsageFlush::run(std::chrono::milliseconds interval)
{
    Timer timer{co_await asio::this_coro::executor};
    waiting_ = &timer;
    running_ = true;
    while (!stopping_) {
        timer.expires_after(interval);
        co_await timer.async_wait(no_throw);
        if (stopping_)
            break;
        // The workers keep counting into their own bounded tables while the store is out of reach.
        if (!in_doubt_)
            co_await plane_.collect_usage(batch_);
        co_await send();
    }
    waiting_ = nullptr;
    running_ = false;
}

awaitable<void> UsageFlush::stop()
{
    stopping_ = true;
    Timer pause{co_await asio::this_coro::executor};
    while (running_) {
        if (waiting_ != nullptr)
            waiting_->cancel();
        pause.expires_after(std::chrono::milliseconds{5});
        co_await pause.async_wait(no_throw);
    }
}

awaitable<void> UsageFlush::finish()
{
    if (in_doubt_)
        co_await send();
    if (in_doubt_)
        co_return;
    plane_.collect_rest(batch_); // what a swap had set aside
    plane_.collect_rest(batch_); // and what came after it
    co_await send();
}

} // namespace gw
