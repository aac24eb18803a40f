// The two logs, as JSON lines: what the process has to say (standard error) and the access log. Neither ever
// holds a key, a secret, a hash or an Authorization value: callers pass ids.
#pragma once

#include <sys/types.h>

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
// Any thread; written at once with one write(2) call, never interleaved: values are cut where the line would
// pass 4 KiB, which is what a pipe takes whole.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) noexcept;
void set_log_level(LogLevel level) noexcept;

// Appends `text` to `out` as the inside of a JSON string (quotes, backslash, control characters, and bytes
// that are not UTF-8 replaced).
void append_json_escaped(std::string& out, std::string_view text);

// One worker's access log. Lines are collected in memory (no allocation once grown) and written when the
// buffer passes 64 KiB or on flush(), which the worker calls on its sweep. A full pipe never blocks a worker:
// up to 256 KiB wait for it, what exceeds that is dropped and counted. Used by one thread; the process ignores
// SIGPIPE.
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
    void open_stdout();
    std::string_view next_chunk(std::size_t from) const noexcept;
    ssize_t write_some(std::string_view chunk) noexcept;
    void drop_lines() noexcept;

    int fd_ = -1;
    bool owned_ = false, is_pipe_ = false, is_socket_ = false;
    bool may_block_ = false; // could not be made non-blocking
    bool torn_ = false;      // the buffer starts with the rest of a line that is half written
    std::size_t write_at_ = 64 * 1024;
    std::string buffer_;
    std::uint64_t dropped_ = 0;
};

} // namespace gw
