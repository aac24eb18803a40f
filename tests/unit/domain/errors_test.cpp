// Faults as error codes.
#include "domain/errors.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace gw;

TEST_CASE("errc: every fault is an error code with words of its own", "[domain]")
{
    std::set<std::string> messages;
    for (const errc code :
         {errc::unavailable, errc::conflict, errc::not_found, errc::corrupt, errc::busy, errc::invalid, errc::in_doubt}) {
        const error_code error = code;
        CHECK(error.failed());
        CHECK(error == code);
        messages.insert(error.message());
    }
    CHECK(messages.size() == 7);
    CHECK(std::string{gateway_category().name()} == "gateway");
}

TEST_CASE("result: carries a value or a fault", "[domain]")
{
    const result<int> good = 7, bad = errc::busy;
    REQUIRE(good);
    CHECK(*good == 7);
    REQUIRE_FALSE(bad);
    CHECK(bad.error() == errc::busy);
}
