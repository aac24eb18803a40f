// Identities of counters.
#include "domain/limit_policy.hpp"

#include "domain/api_key.hpp"

#include <catch2/catch.hpp>

using namespace gw;

TEST_CASE("identity_of: the first 128 bits of SHA-256 over the length-prefixed parts", "[domain]")
{
    using namespace std::string_literals;
    const Sha256 digest = sha256("\0\0\0\3key\0\0\0\4acme"s);
    const Identity128 identity = identity_of({"key", "acme"});
    std::uint64_t high = 0, low = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        high = high << 8 | digest[i];
        low = low << 8 | digest[i + 8];
    }
    CHECK(identity.high == high);
    CHECK(identity.low == low);
}

TEST_CASE("identity_of: where one part ends matters", "[domain]")
{
    CHECK(identity_of({"ab", "c"}) != identity_of({"a", "bc"}));
    CHECK(identity_of({"ab"}) != identity_of({"ab", ""}));
    CHECK(identity_of({"key", "a"}) != identity_of({"owner", "a"}));
}

TEST_CASE("identity_of: long parts count to their last character", "[domain]")
{
    std::string a(5000, 'x'), b = a;
    b.back() = 'y';
    CHECK(identity_of({a}) == identity_of({a}));
    CHECK(identity_of({a}) != identity_of({b}));
}

TEST_CASE("to_string: what a limit is counted per", "[domain]")
{
    CHECK(to_string(CountedPer::key) == "key");
    CHECK(to_string(CountedPer::owner) == "owner");
    CHECK(to_string(CountedPer::tenant) == "tenant");
    CHECK(to_string(CountedPer::ip) == "ip");
    CHECK(to_string(CountedPer::route) == "route");
}
