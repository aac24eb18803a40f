// Who waits for which answer on one connection. Redis answers in order, so that a queue is all there is to
// it; a command that was given up leaves an empty slot behind, which its late answer then takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gw::redis {

class Pending;

class ReplySlots {
public:
    std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
    bool empty() const noexcept { return begin_ == end_; }
    // Sequence numbers of the oldest slot, and of the next one to be made.
    std::uint64_t begin() const noexcept { return begin_; }
    std::uint64_t end() const noexcept { return end_; }

    // Null: an answer that nobody wants. The slot's number.
    std::uint64_t push(Pending* pending)
    {
        if (size() == ring_.size())
            grow();
        ring_[index(end_)] = pending;
        return end_++;
    }
    // Not when empty.
    Pending* pop() noexcept { return ring_[index(begin_++)]; }
    Pending*& at(std::uint64_t number) noexcept { return ring_[index(number)]; }

private:
    std::size_t index(std::uint64_t number) const noexcept
    {
        return static_cast<std::size_t>(number) & (ring_.size() - 1);
    }
    void grow()
    {
        std::vector<Pending*> larger(ring_.empty() ? 64 : 2 * ring_.size());
        for (std::uint64_t number = begin_; number != end_; ++number)
            larger[static_cast<std::size_t>(number) & (larger.size() - 1)] = at(number);
        ring_ = std::move(larger);
    }

    std::vector<Pending*> ring_; // a power of two long
    std::uint64_t begin_ = 0, end_ = 0;
};

} // namespace gw::redis
