// Units: see the header. Tables serve both directions, so that what is printed can be read again.
#include "settings/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace gw {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t size;
};

// From the largest; sizes of durations in milliseconds.
constexpr std::array<Unit, 5> k_time_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 5> k_size_units{
    {{"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}}};
constexpr std::array<std::pair<std::string_view, QuotaPeriod>, 3> k_quota_periods{
    {{"h", QuotaPeriod::hour}, {"d", QuotaPeriod::day}, {"mo", QuotaPeriod::month}}};

// The digits that `text` starts with, which are then taken off it.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept
{
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{})
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text, const std::array<Unit, N>& units) noexcept
{
    const auto number = take_number(text);
    const auto unit =
        std::find_if(units.begin(), units.end(), [text](const Unit& u) { return u.name == text; });
    constexpr std::uint64_t k_most = INT64_MAX;
    if (!number || unit == units.end() || *number > k_most / unit->size)
        return std::nullopt;
    return *number * unit->size;
}

template <std::size_t N>
std::string in_units(std::uint64_t value, const std::array<Unit, N>& units, std::string_view zero)
{
    if (value == 0)
        return std::string{zero};
    const auto unit =
        std::find_if(units.begin(), units.end(), [value](const Unit& u) { return value % u.size == 0; });
    return std::to_string(value / unit->size) + std::string{unit->name};
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept
{
    const auto value = with_unit(text, k_time_units);
    if (!value)
        return std::nullopt;
    return std::chrono::milliseconds{static_cast<std::int64_t>(*value)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept
{
    return with_unit(text, k_size_units);
}

std::optional<Rate> parse_rate(std::string_view text) noexcept
{
    const auto count = take_number(text);
    if (!count || text.size() < 2 || text[0] != '/')
        return std::nullopt;
    text.remove_prefix(1);
    const bool bare_unit = text[0] < '0' || text[0] > '9';
    std::optional<std::chrono::milliseconds> period;
    if (bare_unit) {
        const auto unit = std::find_if(k_time_units.begin(), k_time_units.end(),
                                       [text](const Unit& u) { return u.name == text; });
        if (unit != k_time_units.end())
            period = std::chrono::milliseconds{static_cast<std::int64_t>(unit->size)};
    } else {
        period = parse_duration(text);
    }
    if (!period || period->count() == 0)
        return std::nullopt;
    return Rate{*count, *period};
}

std::optional<Quota> parse_quota(std::string_view text) noexcept
{
    const auto count = take_number(text);
    if (!count || text.empty() || text[0] != '/')
        return std::nullopt;
    text.remove_prefix(1);
    for (const auto& [name, period] : k_quota_periods)
        if (name == text)
            return Quota{*count, period};
    return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds value)
{
    return in_units(static_cast<std::uint64_t>(value.count()), k_time_units, "0s");
}

std::string format_size(std::uint64_t bytes)
{
    return in_units(bytes, k_size_units, "0B");
}

std::string format_rate(std::uint64_t count, std::chrono::milliseconds period)
{
    std::string unit = format_duration(period);
    if (unit[0] == '1' && (unit[1] < '0' || unit[1] > '9'))
        unit.erase(0, 1);
    return std::to_string(count) + '/' + unit;
}

std::string format_quota(std::uint64_t count, QuotaPeriod period)
{
    for (const auto& [name, candidate] : k_quota_periods)
        if (candidate == period)
            return std::to_string(count) + '/' + std::string{name};
    return {};
}

} // namespace gw
