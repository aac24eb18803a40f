// Coroutines of one executor that wait for news, each until a deadline of its own. Not for several threads.
#pragma once

#include "net/asio.hpp"

#include <chrono>
#include <list>
#include <utility>

namespace gw {

class WaitingList {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    // True when woken, false at the deadline. The list must outlive the await.
    awaitable<bool> wait(Executor executor, Deadline deadline)
    {
        const Member member{*this, std::move(executor), deadline};
        const auto [woken] = co_await member.timer.async_wait(no_throw);
        co_return static_cast<bool>(woken);
    }
    // Of those that wait now; they run later, not within the call.
    void wake_all() noexcept
    {
        for (Timer* timer : timers_)
            timer->cancel();
    }
    void wake_longest() noexcept
    {
        if (!timers_.empty())
            timers_.front()->cancel();
    }

private:
    struct Member {
        Member(WaitingList& list, Executor executor, Deadline deadline)
            : timer(std::move(executor), deadline), members(list.timers_), place(members.insert(members.end(), &timer))
        {
        }
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;
        ~Member() { members.erase(place); }

        mutable Timer timer;
        std::list<Timer*>& members;
        std::list<Timer*>::iterator place;
    };

    std::list<Timer*> timers_;
};

} // namespace gw
