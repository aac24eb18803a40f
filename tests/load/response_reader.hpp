// Reads one HTTP/1.1 response after another from the bytes of a connection: status, framing and nothing
// else. Used by the load tool; independent of the gateway's own parser on purpose, so that a mistake there
// is not repeated here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

class ResponseReader {
public:
    enum class State : std::uint8_t {
        head,     // the head is not complete yet
        body,     // the body is not complete yet
        complete, // the response is over; bytes after it are not part of it
        broken,   // not HTTP, or its framing is wrong
    };

    // Forgets the last response. `head_request`: the answer has no body, whatever its fields say.
    void begin(bool head_request);

    // Takes bytes of the response; how many belonged to it. Interim (1xx) heads are skipped and counted.
    std::size_t feed(std::string_view input);

    // The connection ended: true if that completes the response (a body until close).
    bool end_of_stream();

    State state() const noexcept { return state_; }
    bool started() const noexcept { return started_; } // a byte of it was seen
    int status() const noexcept { return status_; }
    bool keep_alive() const noexcept { return keep_alive_; }
    std::uint64_t body_bytes() const noexcept { return body_bytes_; }
    std::uint64_t interim_heads() const noexcept { return interim_heads_; }

private:
    enum class Framing : std::uint8_t { none, length, chunked, until_close };
    enum class ChunkPart : std::uint8_t { size, data, data_end, trailer };

    std::size_t feed_head(std::string_view input);
    std::size_t feed_body(std::string_view input);
    std::size_t feed_chunked(std::string_view input);
    void finish_chunk_line();
    bool parse_head(std::string_view head);
    bool parse_field(std::string_view line);
    void finish_head();
    void fail() noexcept { state_ = State::broken; }

    State state_ = State::head;
    bool started_ = false;
    bool head_request_ = false;
    bool keep_alive_ = true;
    bool has_length_ = false;
    int status_ = 0;
    Framing framing_ = Framing::none;
    ChunkPart chunk_part_ = ChunkPart::size;
    std::uint64_t remaining_ = 0;
    std::uint64_t body_bytes_ = 0;
    std::uint64_t interim_heads_ = 0;
    std::string held_; // an incomplete head, or an incomplete chunk line
};

} // namespace load
