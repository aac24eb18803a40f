// Deadlines without timers: whatever can be overdue sits in its worker's list, says until when it may wait, and
// is told when that has passed. The worker walks the list a few times a second on a coarse clock, so a deadline
// is met late by up to one sweep interval, never early.
#pragma once

#include <chrono>
#include <cstddef>

namespace gw {

using SteadyTime = std::chrono::steady_clock::time_point;

class DeadlineList;

// A member of the list. The list must outlive it. One thread.
class Timed {
public:
    Timed() = default;
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;
    virtual ~Timed() { unlink(); }

    // `now` is the sweep's time. Called with the list walk in progress: may set deadlines and cancel
    // operations, must not destroy any Timed.
    virtual void on_sweep(SteadyTime now) noexcept = 0;

private:
    friend class DeadlineList;
    void unlink() noexcept
    {
        if (previous_ != nullptr) {
            previous_->next_ = next_;
            next_->previous_ = previous_;
            previous_ = next_ = nullptr;
        }
    }
    Timed* previous_ = nullptr;
    Timed* next_ = nullptr;
};

class DeadlineList {
public:
    DeadlineList() noexcept { head_.previous_ = head_.next_ = &head_; }
    ~DeadlineList() { head_.previous_ = head_.next_ = nullptr; }
    DeadlineList(const DeadlineList&) = delete;
    DeadlineList& operator=(const DeadlineList&) = delete;

    void add(Timed& member) noexcept
    {
        member.previous_ = head_.previous_;
        member.next_ = &head_;
        head_.previous_->next_ = &member;
        head_.previous_ = &member;
    }
    void sweep(SteadyTime now) noexcept
    {
        for (Timed* member = head_.next_; member != &head_;) {
            Timed* next = member->next_;
            member->on_sweep(now);
            member = next;
        }
    }
    // Calls f(Timed&) for each member.
    template <class F>
    void for_each(F f)
    {
        for (Timed* member = head_.next_; member != &head_;) {
            Timed* next = member->next_;
            f(*member);
            member = next;
        }
    }

private:
    struct Head final : Timed {
        void on_sweep(SteadyTime) noexcept override {}
    };
    Head head_;
};

} // namespace gw
