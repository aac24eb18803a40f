// See control_plane.hpp.
#include "app/control_plane.hpp"

#include "admin/jobs/scheduler.hpp"

#include <boost/asio/post.hpp>

#include <stdexcept>

namespace gw {

ControlPlane::ControlPlane(asio::io_context& context, Stores& stores, NodeBeat self, Metrics& metrics,
                           Apply apply)
    : context_(context), stores_(stores), metrics_(metrics), apply_(std::move(apply)),
      presence_(context.get_executor(), stores.nodes(), std::move(self), metrics),
      feed_(
          ChangeFeedSettings{}, context.get_executor(), stores.keys(),
          [this](const std::vector<Change>& changes, MonoTime current_at) { dispatch(changes, current_at); },
          metrics),
      turn_(context.get_executor())
{
}

awaitable<void> ControlPlane::start()
{
    const auto started = co_await feed_.start();
    if (!started)
        throw std::runtime_error("the change sequence cannot be read: " + started.error().message());
    presence_.applied(feed_.position(), WallTime{}); // nothing is cached yet
}

awaitable<void> ControlPlane::make_known()
{
    if (stores_.is_exclusive())
        co_await forget_predecessors();
    const auto beaten = co_await presence_.beat();
    if (!beaten)
        throw std::runtime_error("this node cannot be made known: " + beaten.error().message());
    pushes_ = stores_.push_changes([this] { feed_.wake(); });
}

void ControlPlane::stop_reading()
{
    pushes_.reset();
    feed_.stop();
}

// The store serves one process at a time: whatever else is in the registry has been killed, and nobody need
// wait for it or for its lease.
awaitable<void> ControlPlane::forget_predecessors()
{
    const auto found = co_await stores_.nodes().list(std::chrono::hours{24});
    if (!found)
        co_return;
    for (const NodeState& state : *found) {
        static_cast<void>(co_await stores_.nodes().release_lease(Scheduler::k_lease, state.beat.node));
        static_cast<void>(co_await stores_.nodes().leave(state.beat.node));
    }
}

void ControlPlane::dispatch(const std::vector<Change>& changes, MonoTime current_at)
{
    if (changes.empty()) {
        apply_(changes, current_at, {});
        return;
    }
    ++dispatched_;
    auto applied = [this, changes] { asio::post(context_, [this, changes] { all_applied(changes); }); };
    apply_(changes, current_at, std::move(applied));
}

void ControlPlane::all_applied(const std::vector<Change>& changes)
{
    ++applied_;
    const WallTime now = wall_now();
    for (const Change& change : changes)
        metrics_.change_delay.observe(microseconds_between(change.at, now));
    metrics_.changes_applied.add(changes.size());
    presence_.applied(changes.back().sequence, changes.back().at);
    turn_.cancel();
}

awaitable<void> ControlPlane::apply_now()
{
    const auto read = co_await feed_.poll();
    if (!read)
        co_return;
    for (const std::size_t wanted = dispatched_; applied_ < wanted && !feed_.is_stopping();) {
        turn_.expires_after(std::chrono::milliseconds{50}); // the feed may be stopped meanwhile
        co_await turn_.async_wait(no_throw);
    }
}

} // namespace gw
