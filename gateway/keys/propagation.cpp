// See propagation.hpp.
#include "keys/propagation.hpp"

#include "ports/key_store.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace gw {

namespace {

constexpr std::chrono::milliseconds k_first_look{10}, k_slowest_look{100};
// A node silent for longer than this is not waited for: it misses beats.
constexpr std::chrono::seconds k_shows_life{3};
// What is added to stale_while_unavailable: the ladder's own margin for the rhythm of its readings, and a
// beat.
constexpr std::chrono::seconds k_feed_margin{1};
constexpr std::chrono::seconds k_beat_margin{10};

// Sorts the nodes that count into those that have applied `sequence` and those that have not. True if some of
// the latter may still say so.
bool sort_out(const std::vector<NodeState>& nodes, std::uint64_t sequence, bool management, Propagation& out)
{
    bool worth_waiting = false;
    out.applied.clear();
    out.pending.emplace();
    for (const NodeState& node : nodes) {
        if (!(management ? node.beat.serves_admin : node.beat.serves_data))
            continue;
        if (node.beat.applied >= sequence) {
            out.applied.push_back(node.beat.node);
        } else {
            out.pending->push_back(node.beat.node);
            worth_waiting |= node.silent_for <= k_shows_life;
        }
    }
    return worth_waiting;
}

boost::json::array to_array(const std::vector<std::string>& texts)
{
    boost::json::array out;
    for (const std::string& text : texts)
        out.emplace_back(text);
    return out;
}

} // namespace

PropagationWatch::PropagationWatch(KeyStore& keys, NodeRegistry& nodes,
                                   std::chrono::milliseconds stale_while_unavailable)
    : keys_(keys), nodes_(nodes), stale_(stale_while_unavailable)
{
}

awaitable<Propagation> PropagationWatch::wait(bool management)
{
    const MonoTime until = std::chrono::steady_clock::now() + k_longest_wait;
    Propagation out;
    // A node answers from its cache for stale_while_unavailable (and the margin of its feed) after its last
    // complete reading of the change sequence. A complete reading that began after the commit holds the
    // change; so the last one without it began before the commit, which is over.
    out.certain_at = clock() + stale_ + k_feed_margin;
    const auto sequence = co_await keys_.last_change();
    if (!sequence)
        co_return out;
    // A node that has not beaten for longer than this has read nothing for so long that it does not use its
    // cache.
    const std::chrono::milliseconds window = stale_ + k_feed_margin + k_beat_margin;
    Timer pause{co_await asio::this_coro::executor};
    for (auto look = k_first_look;; look = std::min(2 * look, k_slowest_look)) {
        const auto heard = co_await nodes_.list(window);
        if (!heard) {
            out.applied.clear();
            out.pending.reset();
            co_return out;
        }
        const bool worth_waiting = sort_out(*heard, *sequence, management, out);
        if (!worth_waiting || std::chrono::steady_clock::now() + look > until)
            break;
        pause.expires_after(look);
        co_await pause.async_wait(no_throw);
    }
    if (out.pending->empty())
        out.certain_at = clock();
    co_return out;
}

std::string propagation_to_json(const Propagation& propagation)
{
    boost::json::object out;
    out["applied"] = to_array(propagation.applied);
    if (propagation.pending)
        out["pending"] = to_array(*propagation.pending);
    else
        out["pending"] = nullptr;
    // Whole seconds are shown: never too early.
    out["certain_at"] = to_rfc3339(std::chrono::ceil<std::chrono::seconds>(propagation.certain_at));
    return boost::json::serialize(out);
}

std::string with_propagation(std::string object, const Propagation& propagation)
{
    object.pop_back(); // '}'
    object.append(R"(,"propagation":)").append(propagation_to_json(propagation)).append("}");
    return object;
}

} // namespace gw
