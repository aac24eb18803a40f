// See scheduler.hpp.
#include "admin/jobs/scheduler.hpp"

#include "observe/log.hpp"

namespace gw {

namespace {
constexpr std::chrono::milliseconds k_look{500}; // how often it is seen whether something is due
} // namespace

Scheduler::Scheduler(Executor executor, NodeRegistry& nodes, std::string node)
    : executor_(executor), nodes_(nodes), node_(std::move(node)), keeping_(executor), working_(executor)
{
}

void Scheduler::add(std::string name, std::chrono::milliseconds interval, Work work)
{
    Job& job = jobs_.emplace_back();
    job.name = std::move(name);
    job.interval = interval;
    job.work = std::move(work);
}

bool Scheduler::holds_lease() const
{
    return clock() < held_until_;
}

awaitable<void> Scheduler::keep_lease()
{
    // Counted from before asking: by the store's clock the lease began later, so it ends here first.
    const MonoTime asked_at = clock();
    if (asked_at < renew_at_)
        co_return;
    const auto held = co_await nodes_.hold_lease(k_lease, node_, k_lasting);
    renew_at_ = asked_at + k_renew;
    if (!held) {
        log(LogLevel::warn, "scheduler.lease_unknown", {{"reason", held.error().message()}});
        co_return; // good until it ends by itself
    }
    if (!*held) {
        held_until_ = MonoTime{};
        co_return;
    }
    if (fence_ != **held)
        log(LogLevel::info, "scheduler.lease_taken", {{"node", node_}, {"fence", std::to_string(**held)}});
    fence_ = **held;
    held_until_ = asked_at + k_lasting;
}

awaitable<void> Scheduler::work_off()
{
    for (Job& job : jobs_) {
        if (stopping_ || !holds_lease())
            co_return;
        if (clock() < job.due)
            continue;
        co_await run_job(job);
        job.due = clock() + job.interval;
    }
}

awaitable<void> Scheduler::run_job(Job& job)
{
    const std::uint64_t fence = fence_;
    // Under another number it is another lease: somebody may have worked in between.
    const MayGoOn may_go_on = [this, fence] { return !stopping_ && holds_lease() && fence_ == fence; };
    try {
        co_await job.work(may_go_on, fence);
    } catch (const std::exception& bug) {
        log(LogLevel::error, "scheduler.work_failed", {{"work", job.name}, {"reason", bug.what()}});
    }
}

awaitable<void> Scheduler::keep_until_stopped()
{
    ++running_;
    while (!stopping_) {
        co_await keep_lease();
        if (stopping_)
            break;
        keeping_.expires_after(k_look);
        co_await keeping_.async_wait(no_throw);
    }
    --running_;
}

awaitable<void> Scheduler::run()
{
    ++running_;
    co_await keep_lease();
    asio::co_spawn(executor_, keep_until_stopped(), [](std::exception_ptr error) {
        if (error)
            log(LogLevel::error, "scheduler.lease_failed");
    });
    while (!stopping_) {
        co_await work_off();
        if (stopping_)
            break;
        working_.expires_after(k_look);
        co_await working_.async_wait(no_throw);
    }
    --running_;
}

awaitable<void> Scheduler::stop()
{
    stopping_ = true;
    Timer turn{executor_};
    while (running_ > 0) {
        keeping_.cancel();
        working_.cancel();
        turn.expires_after(std::chrono::milliseconds{5});
        co_await turn.async_wait(no_throw);
    }
    if (!holds_lease())
        co_return;
    const auto released = co_await nodes_.release_lease(k_lease, node_);
    if (!released)
        log(LogLevel::warn, "scheduler.lease_not_released", {{"reason", released.error().message()}});
}

} // namespace gw
