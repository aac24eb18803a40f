// co_await SleepFor{executor, 50ms}: pauses a Task. For rare paths: it makes a timer.
#pragma once

#include "net/asio.hpp"

#include <chrono>
#include <coroutine>

namespace gw {

class SleepFor {
public:
    SleepFor(Executor executor, std::chrono::milliseconds duration) : timer_(std::move(executor), duration) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller)
    {
        timer_.async_wait([caller](const boost::system::error_code&) { caller.resume(); });
    }
    void await_resume() const noexcept {}

private:
    Timer timer_;
};

} // namespace gw
