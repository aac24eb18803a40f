// Values with units, both directions.
#include "settings/units.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using std::chrono::milliseconds;

TEST_CASE("units: a duration is a whole number and a unit", "[settings]")
{
    auto [text, expected] = GENERATE(table<std::string, std::int64_t>({
        {"250ms", 250},
        {"30s", 30'000},
        {"5m", 300'000},
        {"2h", 7'200'000},
        {"90d", 7'776'000'000},
        {"0s", 0},
    }));
    REQUIRE(parse_duration(text).has_value());
    CHECK(parse_duration(text)->count() == expected);
}

TEST_CASE("units: what is no duration, size, rate or quota is refused", "[settings]")
{
    const std::string duration = GENERATE("", "30", "s", "-5s", "1.5h", "1h30m", "30 s", "30S", "1w",
                                          "99999999999999999999s", "9223372036854775807d");
    CHECK_FALSE(parse_duration(duration).has_value());
    const std::string size =
        GENERATE("", "16", "16K", "16kb", "16KB", "KiB", "-1B", "1.5MiB", "16777216TiB", "8388608TiB");
    CHECK_FALSE(parse_size(size).has_value());
    const std::string rate =
        GENERATE("", "100", "100/", "/s", "100s", "100/0s", "100/5", "100 / s", "100/mo", "1/w", "-1/s");
    CHECK_FALSE(parse_rate(rate).has_value());
    const std::string quota =
        GENERATE("", "5000", "5000/", "5000/m", "5000/s", "/d", "5000/2d", "5000/month");
    CHECK_FALSE(parse_quota(quota).has_value());
}

TEST_CASE("units: sizes count in powers of 1024", "[settings]")
{
    CHECK(parse_size("512B") == 512u);
    CHECK(parse_size("16KiB") == 16384u);
    CHECK(parse_size("100MiB") == 104857600u);
    CHECK(parse_size("2GiB") == 2147483648u);
    CHECK(parse_size("1TiB") == 1099511627776u);
}

TEST_CASE("units: a rate has a period, which may be a number of units", "[settings]")
{
    auto [text, count, period] =
        GENERATE(table<std::string, std::uint64_t, std::int64_t>({{"100/s", 100, 1000},
                                                                  {"60/m", 60, 60'000},
                                                                  {"5/10s", 5, 10'000},
                                                                  {"1/500ms", 1, 500},
                                                                  {"7/2d", 7, 172'800'000}}));
    const auto rate = parse_rate(text);
    REQUIRE(rate.has_value());
    CHECK(rate->count == count);
    CHECK(rate->period.count() == period);
    CHECK(format_rate(count, rate->period) == text);
}

TEST_CASE("units: a quota has a calendar period", "[settings]")
{
    CHECK(parse_quota("10/h")->period == QuotaPeriod::hour);
    CHECK(parse_quota("5000/d")->count == 5000);
    CHECK(parse_quota("1000/mo")->period == QuotaPeriod::month);
    CHECK(format_quota(1000, QuotaPeriod::month) == "1000/mo");
}

TEST_CASE("units: what is printed is in the largest unit that loses nothing", "[settings]")
{
    CHECK(format_duration(milliseconds{90'000}) == "90s");
    CHECK(format_duration(milliseconds{120'000}) == "2m");
    CHECK(format_duration(milliseconds{1'500}) == "1500ms");
    CHECK(format_duration(milliseconds{0}) == "0s");
    CHECK(format_size(1536) == "1536B");
    CHECK(format_size(2048) == "2KiB");
    CHECK(format_size(0) == "0B");
    CHECK(format_rate(10, milliseconds{10'000}) == "10/10s");
}
