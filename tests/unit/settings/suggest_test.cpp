// Which known word a mistyped one is taken for.
#include "settings/suggest.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace gw;

TEST_CASE("suggest: the distance counts edits and swaps of neighbours", "[settings]")
{
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("abc", "abc") == 0);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("lsiten", "listen") == 1);
    CHECK(edit_distance("liste", "listen") == 1);
}

TEST_CASE("suggest: only what is close enough is suggested", "[settings]")
{
    constexpr std::array<std::string_view, 3> known{"listen", "public_url", "workers"};
    CHECK(closest("lisen", known) == "listen");
    CHECK(closest("Listen", known) == "listen");
    CHECK(closest("public-url", known) == "public_url");
    CHECK(closest("worker", known) == "workers");
    CHECK(closest("tls", known).empty());
    CHECK(closest("", known).empty());
    CHECK(closest(std::string(5000, 'x'), known).empty());
    CHECK(did_you_mean("lisen", known) == "; did you mean `listen`?");
    CHECK(did_you_mean("nothing", known).empty());
}
