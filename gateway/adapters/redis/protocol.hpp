// RESP2 as bytes, through hiredis: commands to text, text to replies. No sockets.
#pragma once

#include "adapters/redis/client.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct redisReader;
struct redisReadTask;

namespace gw::redis {

// Appends the command as an array of bulk strings.
void append_words(std::string& out, std::span<const std::string_view> words);
// The same for a Command: its words, or its script by SHA-1 or, if `in_full`, by source.
void append_command(std::string& out, const Command& command, bool in_full);

// Replies out of a byte stream cut anywhere. After the first fault it stays broken.
class ReplyParser {
public:
    // A reply that needs more than `max_reply_bytes` (its texts, and 64 bytes for each of its items) is a
    // fault.
    explicit ReplyParser(std::size_t max_reply_bytes);
    ~ReplyParser();
    ReplyParser(const ReplyParser&) = delete;
    ReplyParser& operator=(const ReplyParser&) = delete;

    void feed(std::string_view bytes);
    // Moves the next whole reply to `reply`. False: more bytes are needed, or the stream is broken.
    bool next(Reply& reply);
    bool is_broken() const noexcept { return !fault_.empty(); }
    // What was wrong: of our own wording or hiredis's, never the server's bytes.
    const std::string& fault() const noexcept { return fault_; }

private:
    struct Builder;
    bool charge(std::size_t bytes) noexcept;

    std::unique_ptr<redisReader, void (*)(redisReader*)> reader_;
    Reply root_;
    std::size_t max_bytes_, used_bytes_ = 0;
    bool too_long_ = false;
    std::string fault_;
};

} // namespace gw::redis
