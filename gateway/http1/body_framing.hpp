// Follows a body through its bytes without keeping them: where it ends, and whether it was whole. The bytes
// themselves are forwarded as they are for length and until-close bodies; chunked bodies are decoded to
// payload spans, so that only what was understood is written again (our own chunk headers, no extensions).
#pragma once

#include "http1/head.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gw::http1 {

class BodyReader {
public:
    BodyReader() = default;
    // `max_trailer_bytes` bounds the trailer section.
    BodyReader(BodyKind kind, std::uint64_t content_length, std::size_t max_trailer_bytes = 8 * 1024) noexcept;
    // Copies only the trailers that there are.
    BodyReader(const BodyReader& other) noexcept;
    BodyReader& operator=(const BodyReader& other) noexcept;

    struct Step {
        std::size_t consumed = 0;  // bytes of `input` that are dealt with; the rest is to be passed again
        std::string_view payload;  // body bytes in them, a view into `input` (may be empty)
        enum class State : std::uint8_t {
            more,     // the body goes on: pass what is left, or read more if all was consumed
            complete, // the body and its trailers are over; bytes after `consumed` are not part of it
            broken,   // framing error: the connection cannot be used any more
        } state = State::more;
    };
    // One step: at most one payload span. Call until `consumed` is all of the input, or complete or broken.
    // Small state is kept inside, so a chunk header may be split anywhere and is consumed as it comes.
    Step next(std::string_view input) noexcept;

    // The connection ended. True if that completes the body (until_close), false if it truncates it.
    bool end_of_stream() noexcept;

    bool is_complete() const noexcept { return complete_; }
    std::uint64_t payload_bytes() const noexcept { return payload_bytes_; }
    // Bytes still to come of a length body; 0 for other kinds.
    std::uint64_t remaining() const noexcept { return kind_ == BodyKind::length ? remaining_ : 0; }
    // The trailer section as received, field lines with CRLF, without the final empty line; empty if none.
    // Valid after complete. Syntax has been checked like a head's; names that may not be trailers (framing,
    // routing, credentials, identity, ...) have been dropped.
    std::string_view trailers() const noexcept { return {trailers_, trailer_size_}; }

private:
    static constexpr std::size_t k_trailer_capacity = 2048; // more than this to forward is `broken`

    enum class ChunkState : std::uint8_t {
        size_start, size, before_extension, extension, size_lf, data, data_cr, data_lf, trailer_start, trailer, trailer_lf,
        end_lf, broken
    };
    bool frame(char c) noexcept;
    bool frame_size(char c) noexcept;
    bool frame_extension(char c) noexcept;
    bool frame_trailer(char c) noexcept;
    bool keep_trailer_byte(char c) noexcept;
    bool end_trailer_line() noexcept;

    BodyKind kind_ = BodyKind::none;
    bool complete_ = true;
    ChunkState state_ = ChunkState::size_start;
    std::uint8_t size_digits_ = 0;
    std::uint64_t remaining_ = 0; // of the body, or of the current chunk
    std::uint64_t payload_bytes_ = 0;
    std::uint32_t line_extension_bytes_ = 0, all_extension_bytes_ = 0;
    std::size_t trailer_section_bytes_ = 0, max_trailer_bytes_ = 0;
    std::size_t trailer_size_ = 0, trailer_line_size_ = 0; // kept; and of the line that is arriving
    char trailers_[k_trailer_capacity];
};

// "1a2b\r\n" for a chunk of this size, written into `out`; how much was written. `out` holds at least 20.
std::size_t write_chunk_header(char* out, std::uint64_t size) noexcept;

} // namespace gw::http1
