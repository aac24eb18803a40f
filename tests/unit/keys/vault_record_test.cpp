#include "keys/vault_record.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;

TEST_CASE("vault_record: what is written is read back", "[keys]")
{
    VaultRecord record;
    record.versions.push_back({1, "$2b$04$abc", sha256("one"), "pepper01"});
    record.versions.push_back({4, "$2b$04$def", sha256("four"), "pepper02"});

    const auto read = VaultRecord::from_json(record.to_json());
    REQUIRE(read);
    REQUIRE(read->versions.size() == 2);
    REQUIRE(read->find(4));
    CHECK(read->find(4)->hash == "$2b$04$def");
    CHECK(read->find(4)->digest == sha256("four"));
    CHECK(read->find(4)->pepper_id == "pepper02");
    CHECK(read->find(2) == nullptr);
}

TEST_CASE("vault_record: text of another shape is corrupt", "[keys]")
{
    const std::string digest(64, '0');
    const std::string version = R"({"version":1,"hash":"h","digest":")" + digest + R"(","pepper":"p"})";
    REQUIRE(VaultRecord::from_json(Secret{R"({"versions":[)" + version + "]}"}));

    const auto text = GENERATE_COPY(values<std::string>({"", "null", "{}", R"({"versions":{}})", R"({"versions":[1]})",
                                                         R"({"versions":[{"version":1}]})",
                                                         R"({"versions":[{"version":0,"hash":"","digest":"","pepper":""}]})",
                                                         R"({"versions":[{"version":1,"hash":"h","digest":"00","pepper":"p"}]})",
                                                         R"({"versions":[)" + version + "," + version + "]}"}));
    const auto read = VaultRecord::from_json(Secret{text});
    REQUIRE_FALSE(read);
    CHECK(read.error() == errc::corrupt);
}

TEST_CASE("vault_record: the path names tenant and key", "[keys]")
{
    CHECK(vault_path(*TenantId::parse("acme"), *KeyId::parse("4fQz0c9XkT2mB7aP")) == "api_keys/acme/4fQz0c9XkT2mB7aP");
}
