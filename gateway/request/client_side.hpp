// The client's half of an exchange: its stream, and the window of the buffer in which body bytes arrive behind
// the head. Views into the head stay valid while the body passes.
#pragma once

#include "net/stream.hpp"
#include "net/task.hpp"
#include "request/request_memory.hpp"

#include <cstring>
#include <span>

namespace gw {

class ClientSide {
public:
    // Both must outlive this. [0, received) of the memory's buffer has been read from the stream.
    ClientSide(Stream& stream, RequestMemory& memory, std::size_t received) noexcept
        : stream_(stream), memory_(memory), end_(received)
    {
    }

    Stream& stream() noexcept { return stream_; }
    RequestMemory& memory() noexcept { return memory_; }

    std::string_view received() const noexcept { return {memory_.buffer.get() + begin_, end_ - begin_}; }
    // When draining, a response ends the connection, unless something of the next request has been read already.
    bool is_last(bool draining) const noexcept { return draining && received().empty(); }
    bool is_full() const noexcept { return end_ == memory_.capacity; }
    // From here on `bytes` of the window are the head: they stay where they are.
    void end_of_head(std::size_t bytes) noexcept { base_ = begin_ = bytes; }
    void consume(std::size_t bytes) noexcept
    {
        begin_ += bytes;
        if (begin_ == end_)
            begin_ = end_ = base_;
    }
    // Reads more behind received(). The window must not be full of unconsumed bytes.
    Task<IoResult> fill()
    {
        if (end_ == memory_.capacity && begin_ > base_) {
            std::memmove(memory_.buffer.get() + base_, memory_.buffer.get() + begin_, end_ - begin_);
            end_ -= begin_ - base_;
            begin_ = base_;
        }
        const std::span<char> room{memory_.buffer.get() + end_, memory_.capacity - end_};
        const IoResult got = co_await stream_.read_some(room);
        end_ += got.bytes;
        co_return got;
    }
    // Moves what has been received of the next request to the buffer's front; how much that is.
    std::size_t keep_rest() noexcept
    {
        const std::size_t rest = end_ - begin_;
        std::memmove(memory_.buffer.get(), memory_.buffer.get() + begin_, rest);
        return rest;
    }

private:
    Stream& stream_;
    RequestMemory& memory_;
    std::size_t base_ = 0, begin_ = 0, end_;
};

} // namespace gw
