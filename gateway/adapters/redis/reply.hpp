// What a Redis server answers, parsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gw::redis {

// A parsed answer. An error that Redis itself gave (wrong type, script error) is a reply of kind error, not
// an errc.
struct Reply {
    enum class Kind : std::uint8_t { nil, status, error, integer, text, array };
    Kind kind = Kind::nil;
    std::int64_t integer = 0;
    std::string text;
    std::vector<Reply> items;

    bool is_error() const noexcept { return kind == Kind::error; }
    // The first word of an error: "MOVED", "NOSCRIPT", "ERR".
    std::string_view error_code() const noexcept
    {
        return is_error() ? std::string_view{text}.substr(0, text.find(' ')) : std::string_view{};
    }
};

} // namespace gw::redis
