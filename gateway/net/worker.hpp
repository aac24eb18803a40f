// One thread and its io_context. Everything that a connection needs lives on one worker and is touched by its
// thread only, so that the data path knows neither locks nor strands; other threads reach a worker by post().
#pragma once

#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "net/handler_slot.hpp"
#include "net/open_sessions.hpp"
#include "net/task.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <string>
#include <thread>

namespace gw {

class Worker {
public:
    explicit Worker(unsigned index);
    // The thread must have been joined.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void start();
    // Lets the thread end once nothing is pending any more. Any thread.
    void finish();
    void join();

    // Runs f on the worker's thread. Any thread.
    template <class F>
    void post(F f)
    {
        asio::post(context_, std::move(f));
    }

    unsigned index() const noexcept { return index_; }
    asio::io_context& context() noexcept { return context_; }
    Executor executor() noexcept { return context_.get_executor(); }
    DeadlineList& deadlines() noexcept { return deadlines_; }
    TaskGroup& tasks() noexcept { return tasks_; }
    OpenSessions& open_sessions() noexcept { return open_sessions_; }
    // The time of the last sweep, at most k_sweep_interval old: good enough for deadlines.
    SteadyTime coarse_now() const noexcept { return coarse_now_; }

    // Called on each sweep, after the deadlines.
    std::function<void(SteadyTime)> on_sweep;

    static constexpr std::chrono::milliseconds k_sweep_interval{100};

private:
    struct Tick;
    void wait_for_tick();
    void tick();

    unsigned index_;
    asio::io_context context_;
    asio::executor_work_guard<Executor> guard_;
    DeadlineList deadlines_;
    TaskGroup tasks_;
    OpenSessions open_sessions_;
    Timer sweep_timer_;
    HandlerSlot sweep_slot_;
    SteadyTime coarse_now_;
    bool finishing_ = false;
    std::thread thread_;
};

} // namespace gw
