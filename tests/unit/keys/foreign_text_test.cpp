#include "keys/foreign_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

const std::string k_bcrypt = "$2y$10$abcdefghijklmnopqrstuuJ8ZqZ8ZqZ8ZqZ8ZqZ8ZqZ8ZqZ8ZqZ8Z";

ForeignText plain(std::string key)
{
    ForeignText text;
    text.key = std::move(key);
    return text;
}

ForeignText hashed(std::string algorithm, std::string hash)
{
    ForeignText text;
    text.key_hash = std::move(hash);
    text.hash_algorithm = std::move(algorithm);
    return text;
}

ForeignText salted(std::string prefix, std::string of = "", std::string hash = k_bcrypt)
{
    ForeignText text = hashed("bcrypt", std::move(hash));
    text.key_prefix = std::move(prefix);
    text.hash_of = std::move(of);
    return text;
}

} // namespace

TEST_CASE("foreign_text: a plain key is found by its SHA-256, as its hash would be", "[keys]")
{
    const auto key = read_foreign_key(plain("0123456789abcdef"), "pc");
    REQUIRE(key.has_value());
    CHECK(key->index == ForeignIndex::sha256);
    CHECK(key->last4 == "cdef");
    CHECK(key->hash.empty());
    const auto same = read_foreign_key(hashed("SHA-256", to_hex(sha256("0123456789abcdef"))), "pc");
    REQUIRE(same.has_value());
    CHECK(same->value == key->value);
    CHECK(same->last4 == "----");
}

TEST_CASE("foreign_text: hashes are read as hexadecimal and as base64", "[keys]")
{
    const auto [algorithm, text, index] = GENERATE(table<std::string, std::string, ForeignIndex>({
        {"sha256", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", ForeignIndex::sha256},
        {"sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", ForeignIndex::sha256},
        {"sha256", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0", ForeignIndex::sha256},
        {"SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d", ForeignIndex::sha1},
        {"md5", "kAFQmDzST7DWlj99KOF/cg==", ForeignIndex::md5},
        {"sha_512",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
         ForeignIndex::sha512},
    }));
    const auto key = read_foreign_key(hashed(algorithm, text), "pc");
    REQUIRE(key.has_value());
    CHECK(key->index == index);
    CHECK(key->value == foreign_index_value(index, "abc"));
}

TEST_CASE("foreign_text: a salted hash is found by the key's prefix", "[keys]")
{
    const auto [prefix, of, index, value, text] = GENERATE(table<std::string, std::string, ForeignIndex, std::string, HashedText>({
        {"abcd.", "", ForeignIndex::dot_prefix, "abcd", HashedText::whole_key},
        {"abcd.", "key", ForeignIndex::dot_prefix, "abcd", HashedText::whole_key},
        {"abcd.", "secret", ForeignIndex::dot_prefix, "abcd", HashedText::after_dot},
        {"my_abcd_", "secret", ForeignIndex::underscore_prefix, "my_abcd", HashedText::after_underscore},
    }));
    const auto key = read_foreign_key(salted(prefix, of), "pc");
    REQUIRE(key.has_value());
    CHECK(key->index == index);
    CHECK(key->value == value);
    CHECK(key->of == text);
    CHECK(key->hash == k_bcrypt);
}

TEST_CASE("foreign_text: what cannot work is refused with its reason, which repeats no key", "[keys]")
{
    const std::string key = "0123456789abcdef";
    ForeignText both = hashed("sha256", to_hex(sha256(key)));
    both.key = key;
    ForeignText long_end = hashed("sha256", to_hex(sha256(key)));
    long_end.last4 = "12345";
    const std::vector<std::pair<ForeignText, std::string>> cases{
        {ForeignText{}, "neither a key nor a hash"},
        {both, "both a key and a hash"},
        {plain("seven77"), "too short"},
        {plain(std::string(513, 'x')), "too long"},
        {plain("has a blank in it"), "visible ASCII"},
        {plain("pc_live_something"), "begins like a key of this gateway"},
        {hashed("", to_hex(sha256(key))), "hash_algorithm is missing"},
        {hashed("whirlpool", to_hex(sha256(key))), "not known"},
        {hashed("argon2id", "$argon2id$v=19$..."), "only bcrypt"},
        {hashed("sha256", to_hex(sha256(key)).substr(1)), "not sha256: 32 bytes"},
        {hashed("sha1", to_hex(sha256(key))), "not sha1: 20 bytes"},
        {hashed("md5", "not base64 at all!"), "not md5"},
        {hashed("bcrypt", k_bcrypt), "nothing says which key"},
        {long_end, "last4"},
        {salted("abcd.", "", k_bcrypt.substr(1)), "not bcrypt"},
        {salted("abcd.", "", "$2b$17$" + k_bcrypt.substr(7)), "not bcrypt of cost 4 to 16"},
        {salted("abcd", ""), "must end with"},
        {salted("abc.", ""), "4 characters or more"},
        {salted("ab.cd.", ""), "4 characters or more"},
        {salted("abcd.", "half"), "hash_of"},
    };
    for (const auto& [text, expected] : cases) {
        const auto read = read_foreign_key(text, "pc");
        INFO(expected);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().reason.find(expected) != std::string::npos);
        CHECK(read.error().reason.find(key) == std::string::npos);
    }
}
