// Turns what has arrived of a body into the parts of one gathered write, either as it is or chunk by chunk.
#pragma once

#include "http1/body_framing.hpp"

#include <array>
#include <span>
#include <string_view>

#include <sys/uio.h>

namespace gw {

class BodyBatch {
public:
    enum class State : std::uint8_t { more, complete, broken };

    void clear() noexcept { parts_ = 0; consumed_ = 0; payload_ = 0; chunks_ = 0; state_ = State::more; }
    // A part to go first: the head. Must outlive the write.
    void add(std::string_view bytes) noexcept;
    // As much of `unread` as fits the batch. `rechunk`: each span becomes a chunk of ours, and the end a last
    // chunk with the trailers. Views into `unread` and `reader`.
    void gather(http1::BodyReader& reader, std::string_view unread, bool rechunk) noexcept;
    // After the end of an until-close body that is sent on as chunks.
    void add_last_chunk() noexcept { add("0\r\n\r\n"); }

    std::span<iovec> parts() noexcept { return {iovecs_.data(), parts_}; }
    bool is_empty() const noexcept { return parts_ == 0; }
    std::size_t consumed() const noexcept { return consumed_; } // of `unread`
    std::size_t payload() const noexcept { return payload_; }
    State state() const noexcept { return state_; }

private:
    static constexpr std::size_t k_chunks = 20;
    std::array<iovec, 3 * k_chunks + 6> iovecs_;
    std::array<std::array<char, 20>, k_chunks> headers_;
    std::size_t parts_ = 0, consumed_ = 0, payload_ = 0, chunks_ = 0;
    State state_ = State::more;
};

} // namespace gw
