#include "verification/change_feed.hpp"

#include "observe/log.hpp"
#include "ports/key_store.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace gw {

ChangeFeed::ChangeFeed(ChangeFeedSettings settings, Executor executor, KeyStore& keys, Dispatch dispatch,
                       Metrics& metrics)
    : settings_(settings), executor_(executor), keys_(keys), dispatch_(std::move(dispatch)), metrics_(metrics),
      timer_(executor)
{
}

awaitable<result<void>> ChangeFeed::start()
{
    const MonoTime asked_at = std::chrono::steady_clock::now();
    const auto last = co_await keys_.last_change();
    if (!last) {
        set_healthy(false, last.error());
        co_return last.error();
    }
    position_ = *last;
    started_ = true;
    current_at_ = asked_at;
    set_healthy(true);
    dispatch_({}, current_at_);
    co_return result<void>{};
}

awaitable<void> ChangeFeed::run()
{
    while (!stopping_) {
        woken_ = false;
        // A failure was counted where it happened; the next interval asks again.
        if (started_)
            static_cast<void>(co_await poll());
        else
            static_cast<void>(co_await start());
        if (woken_ || stopping_)
            continue;
        timer_.expires_after(settings_.interval);
        co_await timer_.async_wait(no_throw);
    }
}

awaitable<result<void>> ChangeFeed::poll()
{
    for (;;) {
        // Of the time before asking: what commits while the store reads may be missing from its answer.
        const MonoTime asked_at = std::chrono::steady_clock::now();
        const auto changes = co_await keys_.changes_after(position_, settings_.batch);
        if (!changes) {
            metrics_.change_feed_errors.add();
            set_healthy(false, changes.error());
            co_return changes.error();
        }
        const bool is_complete = changes->size() < settings_.batch;
        if (is_complete)
            current_at_ = asked_at;
        if (!changes->empty())
            position_ = std::max(position_, changes->back().sequence); // readings may overlap
        dispatch_(*changes, current_at_);
        if (is_complete)
            break;
    }
    set_healthy(true);
    co_return result<void>{};
}

void ChangeFeed::set_healthy(bool healthy, const error_code& fault)
{
    metrics_.change_feed_healthy.set(healthy ? 1 : 0);
    if (healthy == was_healthy_)
        return;
    was_healthy_ = healthy;
    if (healthy)
        log(LogLevel::info, "change_feed.readable_again");
    else
        log(LogLevel::warn, "change_feed.unreadable", {{"reason", fault.message()}});
}

void ChangeFeed::wake()
{
    asio::post(executor_, [this] {
        woken_ = true;
        timer_.cancel();
    });
}

void ChangeFeed::stop()
{
    asio::post(executor_, [this] {
        stopping_ = true;
        timer_.cancel();
    });
}

} // namespace gw
