// The two logs, as JSON lines: what the process has to say (standard error) and the access log. Neither ever
// holds a key, a secret, a hash or an Authorization value: callers pass ids.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace gw {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

struct LogField {
    std::string_view name, value; // the value is escaped
};

// {"time":"...","level":"warn","event":"upstream.connect_failed","upstream":"orders",...}
// Any thread; written at once with one write(2) call, never interleaved.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) noexcept;
void set_log_level(LogLevel level) noexcept;

// Appends `text` to `out` as the inside of a JSON string (quotes, backslash, control characters, and bytes
// that are not UTF-8 replaced).
void append_json_escaped(std::string& out, std::string_view text);

// One worker's access log. Lines are collected in memory (no allocation once grown) and written when the
// buffer passes 64 KiB or on flush(), which the worker calls on its sweep. A full pipe never blocks a worker:
// what cannot be written is dropped and counted. Used by one thread.
class AccessLog {
public:
    // "stdout", "off", or a file's path (opened for appending, 0640). Throws std::system_error.
    explicit AccessLog(const std::string& where);
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    bool is_on() const noexcept { return fd_ >= 0; }
    std::string& line() noexcept { return buffer_; } // append one whole line, ending in '\n', then call wrote()
    void wrote() noexcept;
    void flush() noexcept;
    std::uint64_t dropped() const noexcept { return dropped_; }

private:
    int fd_ = -1;
    bool owned_ = false;
    std::string buffer_;
    std::uint64_t dropped_ = 0;
};

} // namespace gw
