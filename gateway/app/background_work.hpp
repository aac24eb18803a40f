// What runs on the control thread until the drain: loops, and work that is repeated.
#pragma once

#include "domain/finally.hpp"
#include "net/asio.hpp"

#include <chrono>
#include <exception>
#include <list>

namespace gw {

// Control thread only.
class BackgroundWork {
public:
    explicit BackgroundWork(asio::io_context& context) : context_(context) {}

    // An exception in any of it ends run() of the context; once all has started, the process.
    void spawn(awaitable<void> work, const char* name);
    // Repeats `work()`, an awaitable<void>, with a pause of `interval` before each time, until stop().
    template <class F>
    void every(std::chrono::milliseconds interval, F work, const char* name)
    {
        spawn(repeat(interval, std::move(work)), name);
    }
    // The workers run and cannot be led out without what is at work here; the stores survive a kill.
    void all_started() noexcept { started_ = true; }
    // Ends the pauses and what they separate. What lasts by itself must be stopped by whoever knows how.
    void stop();
    // Throws what ended the context, if anything did.
    void rethrow() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    template <class F>
    awaitable<void> repeat(std::chrono::milliseconds interval, F work)
    {
        Timer timer{context_.get_executor()};
        const auto place = pauses_.insert(pauses_.end(), &timer);
        const Finally left{[this, place] { pauses_.erase(place); }};
        while (!stopping_) {
            timer.expires_after(interval);
            co_await timer.async_wait(no_throw);
            if (!stopping_)
                co_await work();
        }
    }

    asio::io_context& context_;
    std::list<Timer*> pauses_;
    std::exception_ptr failure_;
    bool started_ = false, stopping_ = false;
};

} // namespace gw
