// SHA-256, HMAC and hexadecimal against published values; the digest of a key against mix-ups.
#include "domain/api_key.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace gw;

namespace {

std::string key_digest(std::string_view pepper, std::string_view tenant, std::string_view id,
                       std::uint32_t version, std::string_view secret)
{
    return to_hex(api_key_digest(pepper, *TenantId::parse(tenant), *KeyId::parse(id), version, secret));
}

} // namespace

TEST_CASE("sha256: the published values", "[domain]")
{
    CHECK(to_hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(to_hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("hmac_sha256: RFC 4231 test case 2, and an empty key", "[domain]")
{
    CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(to_hex(hmac_sha256({}, {})) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("api_key_digest: every part counts", "[domain]")
{
    const std::string id = "4fQz0c9XkT2mB7aP", other = "4fQz0c9XkT2mB7aQ";
    const std::set<std::string> digests{
        key_digest("pepper", "acme", id, 1, "secret"),  key_digest("salt", "acme", id, 1, "secret"),
        key_digest("pepper", "acme2", id, 1, "secret"), key_digest("pepper", "acme", other, 1, "secret"),
        key_digest("pepper", "acme", id, 2, "secret"),  key_digest("pepper", "acme", id, 1, "Secret"),
    };
    CHECK(digests.size() == 6);
    CHECK(digests.contains(key_digest("pepper", "acme", id, 1, "secret")));
}

TEST_CASE("api_key_digest: the message is the length-prefixed parts", "[domain]")
{
    using namespace std::string_literals;
    const std::string message = "\0\0\0\4acme\0\0\0\x10"
                                "4fQz0c9XkT2mB7aP\0\0\0\4\0\0\1\2\0\0\0\6secret"s;
    CHECK(key_digest("pepper", "acme", "4fQz0c9XkT2mB7aP", 258, "secret") ==
          to_hex(hmac_sha256("pepper", message)));
}

TEST_CASE("from_hex: takes what to_hex makes, in either case, and nothing else", "[domain]")
{
    const std::string bytes{"\x00\x7f\x80\xff", 4};
    CHECK(from_hex("007f80ff") == bytes);
    CHECK(from_hex("007F80FF") == bytes);
    CHECK(from_hex("") == "");
    CHECK_FALSE(from_hex("007"));
    CHECK_FALSE(from_hex("0g"));
    CHECK_FALSE(from_hex(" 0"));
}

TEST_CASE("random_bytes: fills the whole span", "[domain]")
{
    std::array<unsigned char, 1024> bytes{};
    random_bytes(bytes);
    // All of them stay zero in a stretch of 32 with probability 2^-256.
    for (std::size_t i = 0; i < bytes.size(); i += 32)
        CHECK(std::any_of(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                          bytes.begin() + static_cast<std::ptrdiff_t>(i + 32),
                          [](unsigned char b) { return b != 0; }));
}
