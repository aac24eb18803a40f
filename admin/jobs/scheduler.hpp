// Scheduled work (sweeps, maintenance, later reminders and roll-ups): runs on one node of the fleet at a
// time, the one that holds the lease in the node registry.
#pragma once

#include "domain/time.hpp"
#include "net/asio.hpp"
#include "ports/node_registry.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <string>

namespace gw {

// One thread: that of the executor.
class Scheduler {
public:
    static constexpr const char* k_lease = "scheduled work";
    static constexpr std::chrono::seconds k_lasting{15};
    static constexpr std::chrono::seconds k_renew{5};

    // Asked by work between its steps: false once the lease is lost, or may be. It must then end.
    using MayGoOn = std::function<bool()>;
    // An exception is logged, and the work is due again after its interval. `fence` grows with every holder
    // of the lease: what the work writes may carry it, so that one who was overtaken while it slept can be
    // told.
    using Work = std::function<awaitable<void>(const MayGoOn& may_go_on, std::uint64_t fence)>;

    // `nodes` must outlive the scheduler.
    Scheduler(Executor executor, NodeRegistry& nodes, std::string node);

    // Due at once, and again `interval` after it has ended.
    void add(std::string name, std::chrono::milliseconds interval, Work work);
    // Keeps the lease, and works while it has it, until stop().
    awaitable<void> run();
    // Ends run() after the step under way, and gives the lease up.
    awaitable<void> stop();

    // What run() repeats: takes or renews the lease if that is due.
    awaitable<void> keep_lease();
    // Runs what is due, one after another, if the lease is held.
    awaitable<void> work_off();
    bool holds_lease() const;
    // The number of the lease in hand; 0 without one.
    std::uint64_t fence() const { return holds_lease() ? fence_ : 0; }

    // Tests set the clock.
    std::function<MonoTime()> clock = std::chrono::steady_clock::now;

private:
    struct Job {
        std::string name;
        std::chrono::milliseconds interval{};
        Work work;
        MonoTime due{};
    };
    awaitable<void> keep_until_stopped();
    awaitable<void> run_job(Job& job);

    Executor executor_;
    NodeRegistry& nodes_;
    std::string node_;
    std::list<Job> jobs_;
    std::uint64_t fence_ = 0;
    MonoTime held_until_{}, renew_at_{};
    Timer keeping_, working_; // the pauses of the two loops
    int running_ = 0;
    bool stopping_ = false;
};

} // namespace gw
