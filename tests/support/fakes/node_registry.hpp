// A NodeRegistry in memory that behaves like the contract. Its clock stands until a test moves it.
#pragma once

#include "ports/node_registry.hpp"
#include "support/fakes/database.hpp"

#include <algorithm>

namespace gw {

class FakeNodeRegistry final : public NodeRegistry {
public:
    awaitable<result<std::vector<NodeState>>> beat(const NodeBeat& beat,
                                                   std::chrono::milliseconds window) override
    {
        co_await yield_once();
        if (faults.fails("beat"))
            co_return make_error_code(errc::unavailable);
        auto [place, is_new] = nodes.try_emplace(beat.node);
        NodeState& state = place->second;
        const std::uint64_t applied = std::max(state.beat.applied, beat.applied);
        state.beat = beat;
        state.beat.applied = applied;
        if (is_new)
            state.started_at = now;
        state.seen_at = now;
        co_return within(window);
    }
    awaitable<result<std::vector<NodeState>>> list(std::chrono::milliseconds window) override
    {
        co_await yield_once();
        if (before_list)
            before_list();
        if (faults.fails("list"))
            co_return make_error_code(errc::unavailable);
        co_return within(window);
    }
    awaitable<result<void>> leave(const std::string& node) override
    {
        co_await yield_once();
        if (faults.fails("leave"))
            co_return make_error_code(errc::unavailable);
        nodes.erase(node);
        co_return result<void>{};
    }
    awaitable<result<std::optional<std::uint64_t>>>
    hold_lease(const std::string& work, const std::string& node, std::chrono::milliseconds lasting) override
    {
        co_await yield_once();
        if (faults.fails("hold_lease"))
            co_return make_error_code(errc::unavailable);
        Lease& lease = leases[work];
        if (lease.until > now && lease.node != node)
            co_return std::optional<std::uint64_t>{};
        if (lease.until <= now)
            ++lease.fence;
        lease.node = node;
        lease.until = now + lasting;
        co_return std::optional<std::uint64_t>{lease.fence};
    }
    awaitable<result<void>> release_lease(const std::string& work, const std::string& node) override
    {
        co_await yield_once();
        if (Lease& lease = leases[work]; lease.node == node)
            lease.until = WallTime{};
        co_return result<void>{};
    }

    struct Lease {
        std::string node;
        std::uint64_t fence = 0;
        WallTime until{};
    };
    std::map<std::string, NodeState> nodes;
    std::map<std::string, Lease> leases;
    WallTime now = *parse_rfc3339("2026-11-22T08:00:00Z");
    std::function<void()> before_list;
    FakeFaults faults;

private:
    std::vector<NodeState> within(std::chrono::milliseconds window) const
    {
        std::vector<NodeState> out;
        for (const auto& [name, state] : nodes)
            if (state.seen_at >= now - window) {
                out.push_back(state);
                out.back().silent_for = now - state.seen_at;
            }
        return out;
    }
};

} // namespace gw
