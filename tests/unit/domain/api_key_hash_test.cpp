// bcrypt: cost 4 throughout, so that the test program stays quick.
#include "domain/api_key.hpp"

#include <catch2/catch.hpp>

#include <system_error>

using namespace gw;

TEST_CASE("hash_api_key: the secret verifies and no other does", "[domain]")
{
    const std::string secret = random_base62(32);
    const std::string hash = hash_api_key(secret, 4);

    CHECK(hash.size() == 60);
    CHECK(hash.substr(0, 7) == "$2b$04$");
    CHECK(verify_api_key(secret, hash));
    CHECK_FALSE(verify_api_key(random_base62(32), hash));
    CHECK_FALSE(verify_api_key(secret.substr(0, 31), hash));
    CHECK_FALSE(verify_api_key("", hash));
}

TEST_CASE("hash_api_key: the same secret gives another hash each time", "[domain]")
{
    CHECK(hash_api_key("same", 4) != hash_api_key("same", 4));
}

TEST_CASE("verify_api_key: a hash made elsewhere verifies", "[domain]")
{
    // From the test vectors of the Openwall crypt_blowfish distribution.
    CHECK(verify_api_key("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"));
    CHECK_FALSE(verify_api_key("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"));
}

TEST_CASE("verify_api_key: what is not a bcrypt hash of a sane cost matches nothing", "[domain]")
{
    const std::string good = hash_api_key("secret", 4);
    const std::string bad = GENERATE_COPY(std::string{}, std::string{"*0"}, good.substr(0, 59), good + ".",
                                          "$6$" + good.substr(3), "$2b$31$" + good.substr(7),
                                          "$2b$03$" + good.substr(7), "$2b$xx$" + good.substr(7),
                                          "$2b$04." + good.substr(7), "secret" + std::string(54, '\0'));
    CHECK_FALSE(verify_api_key("secret", bad));
}

TEST_CASE("hash_api_key: what bcrypt would cut short is refused, not shortened", "[domain]")
{
    CHECK_THROWS_AS(hash_api_key(std::string(73, 'x'), 4), std::system_error);
    CHECK_THROWS_AS(hash_api_key(std::string("a\0b", 3), 4), std::system_error);
    CHECK_THROWS_AS(hash_api_key("secret", 3), std::system_error);
    CHECK_THROWS_AS(hash_api_key("secret", 17), std::system_error);

    const std::string longest(72, 'x');
    const std::string hash = hash_api_key(longest, 4);
    CHECK(verify_api_key(longest, hash));
    CHECK_FALSE(verify_api_key(longest + "y", hash));
    CHECK_FALSE(verify_api_key(std::string(71, 'x') + "y", hash));
}
