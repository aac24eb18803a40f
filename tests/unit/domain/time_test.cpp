// RFC 3339 in both directions.
#include "domain/time.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono;

TEST_CASE("to_rfc3339: seconds in UTC, rounded down", "[domain]")
{
    CHECK(to_rfc3339(WallTime{}) == "1970-01-01T00:00:00Z");
    CHECK(to_rfc3339(WallTime{milliseconds{1'795'507'200'999}}) == "2026-11-24T08:00:00Z");
    CHECK(to_rfc3339(WallTime{milliseconds{-1}}) == "1969-12-31T23:59:59Z");
}

TEST_CASE("parse_rfc3339: the forms of the standard", "[domain]")
{
    const auto [text, expected_ms] = GENERATE(table<std::string, std::int64_t>({
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.5Z", 500},
        {"1970-01-01T00:00:00.0019999Z", 1},
        {"1970-01-01t00:00:01z", 1000},
        {"1970-01-01T02:00:00+02:00", 0},
        {"1969-12-31T19:30:00-04:30", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"1985-04-12T23:20:50.52Z", 482196050520},
        {"1990-12-31T23:59:60Z", 662688000000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"1969-12-31T23:59:59.999Z", -1},
    }));
    INFO(text);
    const auto parsed = parse_rfc3339(text);
    REQUIRE(parsed);
    CHECK(parsed->time_since_epoch().count() == expected_ms);
}

TEST_CASE("parse_rfc3339: anything else is refused", "[domain]")
{
    const std::string bad =
        GENERATE(as<std::string>{}, "", "2026-11-22", "2026-11-22T08:00Z", "2026-11-22T08:00:00",
                 "2026-11-22 08:00:00Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
                 "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
                 "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
                 "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+02:60",
                 "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z",
                 "26-01-01T00:00:00Z", "+026-01-01T00:00:00Z", "2026-1-01T00:00:00Z", "tomorrow");
    INFO(bad);
    CHECK_FALSE(parse_rfc3339(bad));
}

TEST_CASE("parse_rfc3339: reads what to_rfc3339 writes", "[domain]")
{
    for (std::int64_t seconds_ = 0; seconds_ < 4'000'000'000; seconds_ += 12'345'677) {
        const WallTime when{std::chrono::seconds{seconds_}};
        CHECK(parse_rfc3339(to_rfc3339(when)) == when);
    }
}
