// What every NodeRegistry does. Times are the store's own, so nothing here compares them with another clock,
// and time passes by StoresUnderTest::let_pass.
#pragma once

#include "contract/stores_under_test.hpp"

#include <algorithm>

namespace gw::contract {

using std::chrono::milliseconds;

inline NodeBeat beat_of(const std::string& node, std::uint64_t applied = 0)
{
    NodeBeat beat;
    beat.node = node;
    beat.release = "1.2.3";
    beat.applied = applied;
    return beat;
}

inline std::vector<std::string> names_of(const std::vector<NodeState>& nodes)
{
    std::vector<std::string> names;
    for (const NodeState& node : nodes)
        names.push_back(node.beat.node);
    return names;
}

inline void node_registry_nodes_contract(const MakeStores& make)
{
    using Names = std::vector<std::string>;
    const auto stores = make();
    auto& nodes = stores->nodes();
    constexpr milliseconds k_long = minutes{1}, k_short{200}, k_longer_than_short{300};

    SECTION("list: nobody at first")
    {
        CHECK(run(nodes.list(k_long)).value().empty());
    }
    SECTION("beat: every field comes back, to the node itself and to others")
    {
        NodeBeat beat = beat_of("node-a", 42);
        beat.serves_data = false;
        const auto answered = run(nodes.beat(beat, k_long)).value();
        REQUIRE(names_of(answered) == Names{"node-a"});
        for (const auto& seen : {answered, run(nodes.list(k_long)).value()}) {
            REQUIRE(seen.size() == 1);
            CHECK_FALSE(seen[0].beat.serves_data);
            CHECK(seen[0].beat.serves_admin);
            CHECK(seen[0].beat.release == "1.2.3");
            CHECK(seen[0].beat.applied == 42);
            CHECK(seen[0].started_at == seen[0].seen_at);
            CHECK(seen[0].silent_for >= milliseconds{0});
            CHECK(seen[0].silent_for < k_long);
        }
        beat.serves_data = true;
        beat.serves_admin = false;
        beat.release = "1.2.4";
        const auto changed = run(nodes.beat(beat, k_long)).value();
        CHECK(changed.at(0).beat.serves_data);
        CHECK_FALSE(changed[0].beat.serves_admin);
        CHECK(changed[0].beat.release == "1.2.4");
    }
    SECTION("beat: the start stays, the last sight moves")
    {
        const auto first = run(nodes.beat(beat_of("node-a"), k_long)).value().at(0);
        stores->let_pass(k_longer_than_short);
        const auto silent = run(nodes.list(k_long)).value().at(0);
        CHECK(silent.seen_at == first.seen_at);
        CHECK(silent.silent_for >= k_short);
        const auto second = run(nodes.beat(beat_of("node-a"), k_long)).value().at(0);
        CHECK(second.started_at == first.started_at);
        CHECK(second.seen_at >= first.seen_at + k_short);
    }
    SECTION("beat: what was applied never moves back")
    {
        run(nodes.beat(beat_of("node-a", 7), k_long)).value();
        CHECK(run(nodes.beat(beat_of("node-a", 5), k_long)).value().at(0).beat.applied == 7);
        CHECK(run(nodes.beat(beat_of("node-a", 9), k_long)).value().at(0).beat.applied == 9);
        const std::uint64_t far = std::uint64_t{1} << 40;
        CHECK(run(nodes.beat(beat_of("node-a", far), k_long)).value().at(0).beat.applied == far);
    }
    SECTION("beat, list: by node, and only who was heard of within the window")
    {
        for (const char* node : {"node-c", "node-a", "node-B"})
            run(nodes.beat(beat_of(node), k_long)).value();
        CHECK(names_of(run(nodes.list(k_long)).value()) == Names{"node-B", "node-a", "node-c"});
        stores->let_pass(k_longer_than_short);
        CHECK(names_of(run(nodes.beat(beat_of("node-c"), k_short)).value()) == Names{"node-c"});
        CHECK(names_of(run(nodes.list(k_long)).value()) == Names{"node-B", "node-a", "node-c"});
    }
    SECTION("leave: the node is gone at once, others are not; leaving twice is no error")
    {
        run(nodes.beat(beat_of("node-a", 3), k_long)).value();
        run(nodes.beat(beat_of("node-b"), k_long)).value();
        run(nodes.leave("node-a")).value();
        CHECK(names_of(run(nodes.list(k_long)).value()) == Names{"node-b"});
        run(nodes.leave("node-a")).value();
        run(nodes.leave("node-never-seen")).value();
        CHECK(names_of(run(nodes.list(k_long)).value()) == Names{"node-b"});
    }
    SECTION("beat: many at once lose nothing")
    {
        std::atomic<int> failed{0};
        in_parallel(8, [&](int i) {
            for (std::uint64_t applied = 1; applied <= 10; ++applied)
                if (!run(nodes.beat(beat_of("node-" + std::to_string(i), applied), minutes{1})))
                    ++failed;
        });
        CHECK(failed == 0);
        const auto all = run(nodes.list(k_long)).value();
        CHECK(all.size() == 8);
        CHECK(std::all_of(all.begin(), all.end(),
                          [](const NodeState& node) { return node.beat.applied == 10; }));
    }
}

inline void node_registry_leases_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& nodes = stores->nodes();
    constexpr milliseconds k_long = minutes{1}, k_short{200}, k_longer_than_short{300};
    const auto hold = [&](const std::string& node, milliseconds lasting, const std::string& work = "sweep") {
        return run(nodes.hold_lease(work, node, lasting)).value();
    };

    SECTION("hold_lease: one holds it, and keeps its number while it renews")
    {
        const auto first = hold("node-a", k_long);
        REQUIRE(first);
        CHECK(*first >= 1);
        CHECK_FALSE(hold("node-b", k_long));
        CHECK(hold("node-a", k_long) == first);
        CHECK_FALSE(hold("node-b", k_long));
    }
    SECTION("hold_lease: of each work by itself")
    {
        CHECK(hold("node-a", k_long, "sweep"));
        CHECK(hold("node-b", k_long, "roll-up"));
        CHECK_FALSE(hold("node-a", k_long, "roll-up"));
    }
    SECTION("hold_lease: a lease that has ended is anybody's, under a greater number")
    {
        const auto first = hold("node-a", k_short);
        REQUIRE(first);
        stores->let_pass(k_longer_than_short);
        const auto second = hold("node-b", k_long);
        REQUIRE(second);
        CHECK(*second > *first);
        CHECK_FALSE(hold("node-a", k_long));
    }
    SECTION("hold_lease: renewing makes it last from now")
    {
        hold("node-a", k_short);
        hold("node-a", k_long);
        stores->let_pass(k_longer_than_short);
        CHECK_FALSE(hold("node-b", k_long));
        hold("node-a", k_short); // also when that is sooner
        stores->let_pass(k_longer_than_short);
        CHECK(hold("node-b", k_long));
    }
    SECTION("hold_lease: whoever let it end and takes it again is a new holder")
    {
        const auto first = hold("node-a", k_short);
        stores->let_pass(k_longer_than_short);
        const auto second = hold("node-a", k_long);
        REQUIRE((first && second));
        CHECK(*second > *first);
    }
    SECTION("release_lease: by its holder only; numbers go on growing")
    {
        const auto first = hold("node-a", k_long);
        run(nodes.release_lease("sweep", "node-b")).value();
        CHECK_FALSE(hold("node-b", k_long));
        run(nodes.release_lease("sweep", "node-a")).value();
        const auto second = hold("node-b", k_long);
        REQUIRE((first && second));
        CHECK(*second > *first);
        run(nodes.release_lease("sweep", "node-b")).value();
        CHECK(*hold("node-b", k_long) > *second);
        run(nodes.release_lease("never held", "node-a")).value();
    }
    SECTION("leave: leases are another matter")
    {
        run(nodes.beat(beat_of("node-a"), k_long)).value();
        hold("node-a", k_long);
        run(nodes.leave("node-a")).value();
        CHECK_FALSE(hold("node-b", k_long));
    }
    SECTION("hold_lease: of many at once one wins, every time")
    {
        for (int round = 0; round < 5; ++round) {
            std::atomic<int> holders{0}, failed{0};
            const std::string work = "round " + std::to_string(round);
            in_parallel(8, [&](int i) {
                const auto held = run(nodes.hold_lease(work, "node-" + std::to_string(i), minutes{1}));
                if (!held)
                    ++failed;
                else if (*held)
                    ++holders;
            });
            CHECK(failed == 0);
            CHECK(holders == 1);
        }
    }
}

} // namespace gw::contract
