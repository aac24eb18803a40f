#include "observe/log.hpp"

#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>

namespace gw {

namespace {

std::atomic<LogLevel> g_level{LogLevel::info};

constexpr std::array<std::string_view, 4> k_level_names{"debug", "info", "warn", "error"};

// What one write(2) puts into a pipe without interleaving with other writers.
constexpr std::size_t k_longest_line = PIPE_BUF;

void append_time(std::string& out)
{
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm utc{};
    ::gmtime_r(&now.tv_sec, &utc);
    std::array<char, 80> text;
    const int n = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                                static_cast<int>(now.tv_nsec / 1'000'000));
    out.append(text.data(), static_cast<std::size_t>(n));
}

// The line, with no value longer than `longest_value` bytes before escaping.
std::string compose(LogLevel level, std::string_view event, std::initializer_list<LogField> fields, std::size_t longest_value)
{
    std::string line;
    line.reserve(256);
    line += "{\"time\":\"";
    append_time(line);
    line.append("\",\"level\":\"").append(k_level_names[static_cast<std::size_t>(level)]).append("\",\"event\":\"");
    append_json_escaped(line, event.substr(0, 128));
    line += '"';
    for (const LogField& field : fields) {
        line += ",\"";
        append_json_escaped(line, field.name.substr(0, 64));
        line += "\":\"";
        append_json_escaped(line, field.value.substr(0, longest_value));
        if (field.value.size() > longest_value)
            line += "...";
        line += '"';
    }
    line += "}\n";
    return line;
}

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF), or 0.
std::size_t utf8_sequence(std::string_view text) noexcept
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const unsigned first = byte(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return continues(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = first == 0xED ? 0x9F : 0xBF;
        return continues(1, low, high) && continues(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const unsigned low = first == 0xF0 ? 0x90 : 0x80;
        const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
        return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

} // namespace

void set_log_level(LogLevel level) noexcept
{
    g_level.store(level, std::memory_order_relaxed);
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) noexcept
{
    if (level < g_level.load(std::memory_order_relaxed))
        return;
    try {
        std::string line;
        for (std::size_t longest = 2048; longest >= 16; longest /= 2) {
            line = compose(level, event, fields, longest);
            if (line.size() <= k_longest_line)
                break;
        }
        if (line.size() > k_longest_line)
            line = compose(level, event, {}, 0); // more fields than any line holds
        while (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EINTR) {
        }
    } catch (...) { // out of memory: a log line is not worth more trouble
    }
}

void append_json_escaped(std::string& out, std::string_view text)
{
    constexpr std::string_view k_hex = "0123456789abcdef";
    std::size_t plain = 0; // start of what can be copied as it is
    std::size_t i = 0;
    const auto replace = [&](std::string_view with, std::size_t bytes) {
        out.append(text.substr(plain, i - plain)).append(with);
        i += bytes;
        plain = i;
    };
    while (i < text.size()) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '"')
            replace("\\\"", 1);
        else if (c == '\\')
            replace("\\\\", 1);
        else if (c == '\n')
            replace("\\n", 1);
        else if (c == '\r')
            replace("\\r", 1);
        else if (c == '\t')
            replace("\\t", 1);
        else if (c < 0x20 || c == 0x7F) {
            const std::array<char, 6> escape{'\\', 'u', '0', '0', k_hex[c >> 4], k_hex[c & 15]};
            replace({escape.data(), escape.size()}, 1);
        } else if (const std::size_t n = utf8_sequence(text.substr(i)); n > 0)
            i += n;
        else
            replace("\xEF\xBF\xBD", 1); // U+FFFD
    }
    out.append(text.substr(plain));
}

} // namespace gw
