// One worker's way to Redis: a connection per server, commands pipelined as they come, an answer or errc within the
// command's deadline. Standalone, Sentinel and Cluster look alike from here: a command names the key that decides
// which server it goes to.
//
// One executor's thread. Never blocks; hiredis formats and parses, our socket moves the bytes.
#pragma once

#include "domain/errors.hpp"
#include "net/asio.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gw::redis {

// A parsed answer. An error that Redis itself gave (wrong type, script error) is a reply of kind error, not an errc.
struct Reply {
    enum class Kind : std::uint8_t { nil, status, error, integer, text, array };
    Kind kind = Kind::nil;
    std::int64_t integer = 0;
    std::string text;
    std::vector<Reply> items;

    bool is_error() const noexcept { return kind == Kind::error; }
};

// A Lua script, sent by its SHA-1 (EVALSHA) and, only where a server does not know it yet, in full.
class Script {
public:
    explicit Script(std::string source);
    const std::string& source() const noexcept { return source_; }
    const std::string& sha1() const noexcept { return sha1_; } // 40 hex digits

private:
    std::string source_, sha1_;
};

class Client {
public:
    virtual ~Client() = default;

    // Sends `words` to the server of `key` (its hash tag decides; empty: any primary) with what else is sent in this
    // turn of the event loop. errc::unavailable: not connected, or the circuit is open (said at once, nothing sent);
    // errc::in_doubt: sent, and not answered within the command's deadline: it may or may not have been done. Never
    // sent twice, but where the server said MOVED or ASK, that is, that it did nothing.
    virtual awaitable<result<Reply>> command(std::string_view key, const std::vector<std::string>& words) = 0;
    // The same for a script: all of `keys` share the hash tag of the first.
    virtual awaitable<result<Reply>> run(const Script& script, const std::vector<std::string>& keys,
                                         const std::vector<std::string>& arguments) = 0;
    // False while commands would be refused at once.
    virtual bool is_up() const noexcept = 0;
};

} // namespace gw::redis
