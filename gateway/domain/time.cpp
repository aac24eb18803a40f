// RFC 3339 in both directions. Parsing is strict: what it does not accept is a mistake in a request or a file.
#include "domain/time.hpp"

#include <cstdio>

namespace gw {
namespace {

// Consumes decimal digits from the front of what is left; every step fails for good once one has failed.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : rest_(text) {}

    // Exactly `digits` digits with a value in [low, high].
    int number(std::size_t digits, int low, int high) noexcept
    {
        if (rest_.size() < digits)
            return fail();
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (!is_digit(rest_[i]))
                return fail();
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(digits);
        return value < low || value > high ? fail() : value;
    }

    bool take(char upper, char lower) noexcept
    {
        if (rest_.empty() || (rest_.front() != upper && rest_.front() != lower))
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char upper, char lower) noexcept
    {
        if (!take(upper, lower))
            fail();
    }

    // The digits after the point as milliseconds; finer ones are cut off.
    int milliseconds() noexcept
    {
        int value = 0;
        std::size_t digits = 0;
        for (; digits < rest_.size() && is_digit(rest_[digits]); ++digits)
            if (digits < 3)
                value = value * 10 + (rest_[digits] - '0');
        if (digits == 0)
            return fail();
        for (std::size_t i = digits; i < 3; ++i)
            value *= 10;
        rest_.remove_prefix(digits);
        return value;
    }

    bool is_done() const noexcept { return ok_ && rest_.empty(); }

private:
    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

    int fail() noexcept
    {
        ok_ = false;
        return 0;
    }

    std::string_view rest_;
    bool ok_ = true;
};

} // namespace

std::string to_rfc3339(WallTime when)
{
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(when - day)};
    char out[64];
    const int size =
        std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()));
    return {out, static_cast<std::size_t>(size)};
}

std::optional<WallTime> parse_rfc3339(std::string_view text)
{
    Reader in{text};
    const int year = in.number(4, 0, 9999);
    in.expect('-', '-');
    const int month = in.number(2, 1, 12);
    in.expect('-', '-');
    const int day = in.number(2, 1, 31);
    in.expect('T', 't');
    const int hour = in.number(2, 0, 23);
    in.expect(':', ':');
    const int minute = in.number(2, 0, 59);
    in.expect(':', ':');
    const int second = in.number(2, 0, 60); // 60 is a leap second: the instant after :59
    const int milliseconds = in.take('.', '.') ? in.milliseconds() : 0;

    std::chrono::minutes offset{0};
    if (!in.take('Z', 'z')) {
        const int sign = in.take('-', '-') ? -1 : 1;
        if (sign > 0)
            in.expect('+', '+');
        const int offset_hours = in.number(2, 0, 23);
        in.expect(':', ':');
        offset = sign * std::chrono::minutes{offset_hours * 60 + in.number(2, 0, 59)};
    }

    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!in.is_done() || !date.ok())
        return std::nullopt;
    return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second} + std::chrono::milliseconds{milliseconds} - offset;
}

} // namespace gw
