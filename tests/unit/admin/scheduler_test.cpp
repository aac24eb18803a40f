#include "admin/jobs/scheduler.hpp"

#include "contract/sqlite_stores.hpp"
#include "support/run_awaitable.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

// One node of a fleet: its own process in all but the address space, on the file that all share.
struct Node {
    Node(const contract::TemporaryFolder& folder, const std::string& name)
        : stores(folder.path() / "portcullis.db"), scheduler(context.get_executor(), stores.nodes(), name)
    {
        scheduler.clock = [this] { return mono; };
        scheduler.add("count", 1min, [this](const Scheduler::MayGoOn& may_go_on, std::uint64_t fence) {
            return work(may_go_on, fence);
        });
    }
    awaitable<void> work(const Scheduler::MayGoOn& may_go_on, std::uint64_t fence)
    {
        fences.push_back(fence);
        for (int step = 0; step < 3 && may_go_on(); ++step) {
            ++steps;
            if (after_step)
                after_step();
        }
        co_return;
    }
    void pass(std::chrono::milliseconds time)
    {
        mono += time;
        stores.advance(time);
    }
    // As run() does it.
    void turn()
    {
        run(scheduler.keep_lease());
        run(scheduler.work_off());
    }

    asio::io_context context{1};
    contract::SqliteStores stores;
    MonoTime mono{1h};
    Scheduler scheduler;
    int steps = 0;
    std::vector<std::uint64_t> fences; // one for each time the work began
    std::function<void()> after_step;
};

struct TwoNodes {
    contract::TemporaryFolder folder;
    Node a{folder, "node-a"}, b{folder, "node-b"};

    void pass(std::chrono::milliseconds time)
    {
        a.pass(time);
        b.pass(time);
    }
};

} // namespace

TEST_CASE("scheduler: of two nodes one works, at once and then at its interval", "[admin]")
{
    TwoNodes two;
    two.a.turn();
    two.b.turn();
    CHECK(two.a.fences.size() == 1);
    CHECK(two.b.fences.empty());
    CHECK(two.a.scheduler.holds_lease());
    CHECK_FALSE(two.b.scheduler.holds_lease());
    for (int i = 0; i < 20; ++i) { // 100 seconds of turns: once more is due
        two.pass(5s);
        two.a.turn();
        two.b.turn();
    }
    CHECK(two.a.fences.size() == 2);
    CHECK(two.a.fences[0] == two.a.fences[1]);
    CHECK(two.b.fences.empty());
}

TEST_CASE("scheduler: when the holder is gone another takes over, under a greater number", "[admin]")
{
    TwoNodes two;
    two.a.turn();
    for (int i = 0; i < 4; ++i) { // node-a has been killed
        two.pass(5s);
        two.b.turn();
    }
    REQUIRE(two.b.fences.size() == 1);
    CHECK(two.b.fences[0] > two.a.fences[0]);
    two.a.turn(); // it comes back from wherever it was
    CHECK_FALSE(two.a.scheduler.holds_lease());
    CHECK(two.a.fences.size() == 1);
}

TEST_CASE("scheduler: a node that leaves in good order is followed at once", "[admin]")
{
    TwoNodes two;
    two.a.turn();
    run(two.a.scheduler.stop());
    two.b.turn();
    CHECK(two.b.fences.size() == 1);
}

TEST_CASE("scheduler: a lost lease stops the work between two steps", "[admin]")
{
    TwoNodes two;
    two.a.after_step = [&] {
        two.pass(20s); // the machine slept: the lease has ended, and another node has it
        two.b.turn();
    };
    two.a.turn();
    CHECK(two.a.steps == 1);
    CHECK(two.b.steps == 3);
}

TEST_CASE(
    "scheduler: a lease that was lost and won again is another lease to work that began under the first",
    "[admin]")
{
    TwoNodes two;
    two.a.after_step = [&] {
        two.a.after_step = {};
        two.pass(20s);
        two.b.turn();
        run(two.b.scheduler.stop());
        run(two.a.scheduler.keep_lease());
        REQUIRE(two.a.scheduler.holds_lease());
    };
    two.a.turn();
    CHECK(two.a.steps == 1);
    two.pass(1min);
    two.a.turn();
    REQUIRE(two.a.fences.size() == 2);
    CHECK(two.a.fences[1] > two.a.fences[0]);
}

TEST_CASE("scheduler: an exception in the work is the end of that time, not of the work", "[admin]")
{
    TwoNodes two;
    two.a.after_step = [] { throw std::runtime_error("a bug"); };
    two.a.turn();
    two.a.after_step = {};
    two.pass(70s);
    two.a.turn();
    CHECK(two.a.fences.size() == 2);
    CHECK(two.a.steps == 4);
}

TEST_CASE("scheduler: run keeps the lease and works until it is stopped", "[admin]")
{
    const contract::TemporaryFolder folder;
    Node node{folder, "node-a"};
    asio::co_spawn(node.context, node.scheduler.run(), [](std::exception_ptr) {});
    node.context.run_for(200ms);
    CHECK(node.fences.size() == 1);
    run(node.context, node.scheduler.stop());
    Node other{folder, "node-b"};
    other.turn();
    CHECK(other.fences.size() == 1);
}
