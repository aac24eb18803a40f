// See node_presence.hpp.
#include "app/node_presence.hpp"

#include "observe/log.hpp"

#include <algorithm>

namespace gw {

namespace {
constexpr std::chrono::milliseconds k_between{20}; // two beats, however fast changes come
} // namespace

NodePresence::NodePresence(Executor executor, NodeRegistry& nodes, NodeBeat self, Metrics& metrics)
    : nodes_(nodes), self_(std::move(self)), metrics_(metrics), pause_(executor)
{
}

void NodePresence::applied(std::uint64_t position, WallTime committed_at)
{
    if (position <= self_.applied)
        return;
    self_.applied = position;
    committed_at_ = committed_at;
    pause_.cancel();
}

awaitable<result<void>> NodePresence::beat()
{
    const NodeBeat sent = self_; // what is applied while the store is asked goes with the next beat
    const WallTime committed_at = committed_at_;
    const auto heard = co_await nodes_.beat(sent, k_alive);
    if (!heard) {
        metrics_.node_beat_errors.add();
        set_reachable(false, heard.error());
        co_return heard.error();
    }
    set_reachable(true);
    if (sent.applied > acknowledged_) {
        acknowledged_ = sent.applied;
        if (committed_at != WallTime{})
            metrics_.change_acknowledged.observe(microseconds_between(committed_at, wall_now()));
    }
    heard_of(*heard);
    co_return result<void>{};
}

void NodePresence::heard_of(const std::vector<NodeState>& nodes)
{
    std::uint64_t slowest = self_.applied;
    for (const NodeState& node : nodes)
        if (node.beat.serves_data)
            slowest = std::min(slowest, node.beat.applied);
    metrics_.nodes_alive.set(nodes.size());
    metrics_.changes_unacknowledged.set(self_.applied - slowest);
}

awaitable<void> NodePresence::run()
{
    running_ = true;
    while (!stopping_) {
        const auto beaten = co_await beat();
        if (stopping_)
            break;
        const bool is_behind = beaten && self_.applied > acknowledged_;
        pause_.expires_after(is_behind ? k_between : std::chrono::milliseconds{k_every});
        co_await pause_.async_wait(no_throw);
    }
    running_ = false;
}

awaitable<void> NodePresence::leave()
{
    stopping_ = true;
    // A beat under way would bring the node back: it ends first.
    Timer turn{co_await asio::this_coro::executor};
    while (running_) {
        pause_.cancel();
        turn.expires_after(std::chrono::milliseconds{5});
        co_await turn.async_wait(no_throw);
    }
    const auto left = co_await nodes_.leave(self_.node);
    if (!left)
        log(LogLevel::warn, "node.not_signed_off",
            {{"node", self_.node}, {"reason", left.error().message()}});
}

void NodePresence::set_reachable(bool reachable, const error_code& fault)
{
    if (reachable == was_reachable_)
        return;
    was_reachable_ = reachable;
    if (reachable)
        log(LogLevel::info, "node.heard_again", {{"node", self_.node}});
    else
        log(LogLevel::warn, "node.unheard", {{"node", self_.node}, {"reason", fault.message()}});
}

} // namespace gw
