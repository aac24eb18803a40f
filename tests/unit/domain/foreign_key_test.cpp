#include "domain/foreign_key.hpp"

#include <catch2/catch.hpp>

using namespace gw;

TEST_CASE("foreign_key: visible ASCII of 8 to 512 characters that does not begin like ours", "[domain]")
{
    CHECK(is_foreign_key("auth-one", "pc"));
    CHECK(is_foreign_key(std::string(512, 'a'), "pc"));
    CHECK(is_foreign_key("pk_live_0000", "pc"));
    CHECK_FALSE(is_foreign_key("seven77", "pc"));
    CHECK_FALSE(is_foreign_key(std::string(513, 'a'), "pc"));
    CHECK_FALSE(is_foreign_key("with blank", "pc"));
    CHECK_FALSE(is_foreign_key("with\ttab99", "pc"));
    CHECK_FALSE(is_foreign_key("umlaut-\xC3\xA4-99", "pc"));
    CHECK_FALSE(is_foreign_key("pc_live_damaged", "pc"));
}

TEST_CASE("foreign_key: what the other gateway kept is computed from the key", "[domain]")
{
    const auto [index, hash] = GENERATE(table<ForeignIndex, std::string>({
        {ForeignIndex::sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {ForeignIndex::sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {ForeignIndex::md5, "900150983cd24fb0d6963f7d28e17f72"},
        {ForeignIndex::sha512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    }));
    const std::string value = foreign_index_value(index, "abc");
    CHECK(value.size() == foreign_hash_bytes(index));
    CHECK(value == from_hex(hash).value());
}

TEST_CASE("foreign_key: a prefix ends at the first dot, or at the last underscore", "[domain]")
{
    CHECK(foreign_index_value(ForeignIndex::dot_prefix, "abc.def.ghi") == "abc");
    CHECK(after_prefix(ForeignIndex::dot_prefix, "abc.def.ghi") == "def.ghi");
    CHECK(foreign_index_value(ForeignIndex::underscore_prefix, "my_abc_def") == "my_abc");
    CHECK(after_prefix(ForeignIndex::underscore_prefix, "my_abc_def") == "def");
    const auto text = GENERATE("abc", ".abc", "abc.", "");
    CHECK(foreign_index_value(ForeignIndex::dot_prefix, text).empty());
}

TEST_CASE("foreign_key: secrets and digests differ by index, value and pepper", "[domain]")
{
    const Secret secret = foreign_secret(ForeignIndex::sha256, "value");
    CHECK(secret.reveal().size() == 64);
    CHECK(secret.reveal() == foreign_secret(ForeignIndex::sha256, "value").reveal());
    CHECK(secret.reveal() != foreign_secret(ForeignIndex::sha1, "value").reveal());
    CHECK(secret.reveal() != foreign_secret(ForeignIndex::sha256, "valuf").reveal());
    const ForeignDigest digest = foreign_digest("pepper", ForeignIndex::sha256, "value");
    CHECK(digest == foreign_digest("pepper", ForeignIndex::sha256, "value"));
    CHECK(digest.value != foreign_digest("other", ForeignIndex::sha256, "value").value);
    CHECK(digest.value != foreign_digest("pepper", ForeignIndex::md5, "value").value);
}

TEST_CASE("foreign_indexes: a set of their names", "[domain]")
{
    ForeignIndexes indexes;
    CHECK(indexes.empty());
    indexes.insert(ForeignIndex::md5);
    CHECK(indexes.contains(ForeignIndex::md5));
    CHECK_FALSE(indexes.contains(ForeignIndex::sha1));
    for (const ForeignIndex index : k_foreign_indexes)
        CHECK(parse_foreign_index(to_string(index)) == index);
    CHECK_FALSE(parse_foreign_index("sha3"));
}
