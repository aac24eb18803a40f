// Ids are checked once, where they enter: what passes can stand in a path, a header or a query as it is.
#include "domain/ids.hpp"

#include <catch2/catch.hpp>

#include <unordered_set>

using namespace gw;

TEST_CASE("KeyId: 16 characters of base62 and nothing else", "[domain]")
{
    const auto id = KeyId::parse("4fQz0c9XkT2mB7aP");
    REQUIRE(id);
    CHECK(id->view() == "4fQz0c9XkT2mB7aP");
    CHECK(id->str() == "4fQz0c9XkT2mB7aP");

    const std::string bad = GENERATE("", "4fQz0c9XkT2mB7a", "4fQz0c9XkT2mB7aPx", "4fQz0c9XkT2mB7a-",
                                     "../z0c9XkT2mB7aP", "4fQz0c9XkT2mB7a\xc3");
    CHECK_FALSE(KeyId::parse(bad));
}

TEST_CASE("KeyId: equal ids hash alike, and different ones are told apart", "[domain]")
{
    std::unordered_set<KeyId> ids{*KeyId::parse("4fQz0c9XkT2mB7aP"), *KeyId::parse("4fQz0c9XkT2mB7aP"),
                                  *KeyId::parse("4fQz0c9XkT2mB7aQ")};
    CHECK(ids.size() == 2);
    CHECK(KeyId{}.view() == "0000000000000000");
}

TEST_CASE("TenantId: one to 32 lower-case letters, digits and dashes", "[domain]")
{
    CHECK(TenantId::parse("a"));
    CHECK(TenantId::parse("acme-2"));
    CHECK(TenantId::parse(std::string(32, 'z')));
    const std::string bad = GENERATE(as<std::string>{}, "", "Acme", "a_b", "a.b", "a/b", "a b", "a\r\nb");
    CHECK_FALSE(TenantId::parse(bad));
    CHECK_FALSE(TenantId::parse(std::string(33, 'z')));
}

TEST_CASE("OwnerId: one to 64 characters of a name or mail address", "[domain]")
{
    CHECK(OwnerId::parse("ada.lovelace_1@example-mail.com"));
    CHECK(OwnerId::parse(std::string(64, 'Z')));
    const std::string bad = GENERATE(as<std::string>{}, "", "a b", "a+b", "a/b", "a:b", "a\nb");
    CHECK_FALSE(OwnerId::parse(bad));
    CHECK_FALSE(OwnerId::parse(std::string(65, 'z')));
}
