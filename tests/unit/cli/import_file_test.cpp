#include "cli/commands.hpp"
#include "cli/import_file.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace gw::cli;
using Status = ImportOutcome::Status;

namespace {

ImportDefaults defaults()
{
    ImportDefaults out;
    out.tenant = TenantId::parse("acme").value();
    out.brand = "pc";
    out.scopes = {"orders:read"};
    out.declared_scopes = {{"orders:read", ""}, {"orders:write", ""}, {"reports:read", ""}};
    out.group_scopes = {{"staff", {"orders:write", "reports:read"}}};
    out.plans = {"gold"};
    out.now = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};
    return out;
}

using Texts = std::vector<std::string>;

std::string failure_of(ImportFile (*read)(const std::string&, const ImportDefaults&), const std::string& text)
{
    try {
        read(text, defaults());
    } catch (const CommandFailed& failed) {
        return failed.what();
    }
    return "";
}

} // namespace

TEST_CASE("import csv: every column", "[cli]")
{
    const ImportFile file = read_csv("name,key,owner,scopes,plan,description,expires_at,external_id,environment,metadata,allowed_ips\n"
                                     "billing,0123456789abcdef,user:ada,orders:read orders:write,gold,\"for, the night\",2027-01-31T00:00:00Z,"
                                     "ext-1,test,\"{\"\"a\"\":1}\",10.0.0.0/8;192.0.2.1\n",
                                     defaults());
    CHECK(file.outcomes.empty());
    REQUIRE(file.rows.size() == 1);
    const CreateKey& request = file.rows[0].request;
    CHECK(file.rows[0].place == 2);
    CHECK(request.tenant.str() == "acme");
    CHECK(request.name == "billing");
    CHECK(request.owner.type == "user");
    CHECK(request.owner.id.str() == "ada");
    CHECK(request.scopes == Texts{"orders:read", "orders:write"});
    CHECK(request.plan == "gold");
    CHECK(request.description == "for, the night");
    CHECK(request.expires_at == parse_rfc3339("2027-01-31T00:00:00Z"));
    CHECK(request.external_id == "ext-1");
    CHECK(request.environment == Environment::test);
    CHECK(request.metadata == R"({"a":1})");
    CHECK(request.allowed_ips.size() == 2);
    CHECK(file.rows[0].key.last4 == "cdef");
}

TEST_CASE("import csv: what a row does not say comes from the command line", "[cli]")
{
    ImportDefaults given = defaults();
    given.environment = Environment::test;
    Owner owner;
    owner.id = OwnerId::parse("migration").value();
    given.owner = owner;
    const ImportFile file = read_csv("key,name\n0123456789abcdef,billing\n", given);
    REQUIRE(file.rows.size() == 1);
    CHECK(file.rows[0].request.scopes == Texts{"orders:read"});
    CHECK(file.rows[0].request.owner.id.str() == "migration");
    CHECK(file.rows[0].request.environment == Environment::test);
    CHECK(file.rows[0].request.metadata == "{}");
}

TEST_CASE("import csv: a bad row is refused with its line and every reason; the others are read", "[cli]")
{
    const std::string header = "name,key,owner,expires_at,environment,allowed_ips,key_hash,hash_algorithm\n";
    const auto [row, reason] = GENERATE(table<std::string, std::string>({
        {"a,0123456789abcdef,bad owner,,,,,", "owner must be"},
        {"a,0123456789abcdef,,tomorrow,,,,", "expires_at must be"},
        {"a,0123456789abcdef,,,prod,,,", "environment must be"},
        {"a,0123456789abcdef,,,,10.0.0.1/8,,", "allowed_ips must be"},
        {"a,0123456789abcdef,,never,prod,,,", "expires_at must be an RFC 3339 time such as 2027-01-31T00:00:00Z; environment"},
        {"a,0123456789abcdef", "has 2 fields, the header has 8"},
        {"a,short,,,,,,", "too short"},
        {"a,,,,,,,", "neither a key nor a hash"},
        {"a,,,,,,abcd,sha256", "not sha256"},
        {"a,\"0123\"456789abcdef,,,,,,", "text follows a closing quote"},
    }));
    const ImportFile file = read_csv(header + row + "\nfine,fedcba9876543210,,,,,,\n", defaults());
    REQUIRE(file.outcomes.size() == 1);
    CHECK(file.outcomes[0].place == 2);
    CHECK(file.outcomes[0].status == Status::refused);
    CHECK(file.outcomes[0].reason.find(reason) != std::string::npos);
    CHECK(file.outcomes[0].reason.find("0123456789abcdef") == std::string::npos);
    REQUIRE(file.rows.size() == 1);
    CHECK(file.rows[0].place == 3);
}

TEST_CASE("import csv: a header that is none is refused, without repeating it", "[cli]")
{
    CHECK(failure_of(read_csv, "") == "the file is empty");
    const std::string no_header = failure_of(read_csv, "billing,0123456789abcdef\n");
    CHECK(no_header.find("line 1: column 1") != std::string::npos);
    CHECK(no_header.find("0123456789abcdef") == std::string::npos);
    CHECK(failure_of(read_csv, "name,key,key\n").find("stands twice") != std::string::npos);
    CHECK(failure_of(read_csv, "name,owner\n").find("are needed") != std::string::npos);
}

TEST_CASE("import kong: consumers with credentials inside, groups and tags as scopes, plans and metadata", "[cli]")
{
    const ImportFile file = read_kong("_format_version: \"3.0\"\n"
                                      "consumers:\n"
                                      "- username: alice\n"
                                      "  custom_id: \"42\"\n"
                                      "  tags: [team-a]\n"
                                      "  groups:\n"
                                      "  - name: gold\n"
                                      "  acls:\n"
                                      "  - group: staff\n"
                                      "  keyauth_credentials:\n"
                                      "  - id: 4d924084-1adb-40a5-c042-63b19db421d1\n"
                                      "    key: alice-key-one\n"
                                      "    tags: [orders:read]\n"
                                      "  - key: alice-key-two\n"
                                      "    ttl: 3600\n"
                                      "- username: bob\n",
                                      defaults());
    CHECK(file.outcomes.empty());
    REQUIRE(file.rows.size() == 2);
    const CreateKey& first = file.rows[0].request;
    CHECK(file.rows[0].place == 11);
    CHECK(first.name == "alice");
    CHECK(first.owner.id.str() == "alice");
    CHECK(first.scopes == Texts{"orders:write", "reports:read", "orders:read"});
    CHECK(first.plan == "gold");
    CHECK(first.external_id == "4d924084-1adb-40a5-c042-63b19db421d1");
    CHECK(first.metadata ==
          R"({"kong":{"consumer":"alice","custom_id":"42","groups":["staff","gold"],"tags":["team-a","orders:read"]}})");
    CHECK_FALSE(first.expires_at);
    CHECK(file.rows[1].place == 14);
    CHECK(file.rows[1].request.expires_at == defaults().now + std::chrono::hours{1});
    CHECK_FALSE(file.rows[1].request.external_id);
}

TEST_CASE("import kong: credentials and groups in lists of their own", "[cli]")
{
    const ImportFile file = read_kong("_format_version: \"2.1\"\n"
                                      "consumers:\n"
                                      "- {id: c-1, username: alice}\n"
                                      "- {id: c-2, custom_id: app}\n"
                                      "acls:\n"
                                      "- {consumer: alice, group: staff}\n"
                                      "keyauth_credentials:\n"
                                      "- {consumer: alice, key: alice-key-one}\n"
                                      "- {consumer: {id: c-2}, key: app-key-one}\n"
                                      "- {consumer: nobody, key: lost-key-one}\n"
                                      "- {consumer: alice, key: old-key-one, ttl: 60, created_at: 1600000000}\n"
                                      "- {consumer: alice, key: '{vault://env/alice}'}\n",
                                      defaults());
    REQUIRE(file.rows.size() == 2);
    CHECK(file.rows[0].request.scopes == Texts{"orders:write", "reports:read"});
    CHECK(file.rows[1].request.name == "app");
    CHECK(file.rows[1].request.owner.id.str() == "app");
    CHECK(file.rows[1].request.scopes == Texts{"orders:read"});
    REQUIRE(file.outcomes.size() == 3);
    CHECK(file.outcomes[0].place == 10);
    CHECK(file.outcomes[0].reason.find("names no consumer") != std::string::npos);
    CHECK(file.outcomes[1].reason.find("ttl is over") != std::string::npos);
    CHECK(file.outcomes[2].reason.find("reference") != std::string::npos);
}

TEST_CASE("import kong: a consumer whose names cannot be an owner's needs one from the command line", "[cli]")
{
    const std::string text = "_format_version: \"3.0\"\nconsumers:\n- username: Alice and Bob\n  keyauth_credentials: [{key: shared-key-one}]\n";
    CHECK(read_kong(text, defaults()).outcomes.at(0).reason.find("--owner") != std::string::npos);
    ImportDefaults given = defaults();
    Owner owner;
    owner.id = OwnerId::parse("migration").value();
    given.owner = owner;
    CHECK(read_kong(text, given).rows.at(0).request.owner.id.str() == "migration");
}

TEST_CASE("import kong: another file is refused as a whole", "[cli]")
{
    CHECK(failure_of(read_kong, "consumers: [}").find("YAML") != std::string::npos);
    CHECK(failure_of(read_kong, "consumers: []").find("_format_version") != std::string::npos);
    CHECK(failure_of(read_kong, "- a\n- b\n").find("_format_version") != std::string::npos);
}

TEST_CASE("import apisix: every form in which consumers come", "[cli]")
{
    const std::string consumer = R"({"username":"jack","desc":"the mobile app","group_id":"gold","labels":{"role":"staff"},)"
                                 R"("plugins":{"key-auth":{"key":"jack-key-one"}}})";
    const auto text = GENERATE_COPY(
        consumer, "[" + consumer + "]", R"({"key":"/apisix/consumers/jack","value":)" + consumer + "}",
        R"({"total":1,"list":[{"key":"/apisix/consumers/jack","createdIndex":1,"value":)" + consumer + "}]}",
        R"({"action":"get","count":1,"node":{"dir":true,"nodes":[{"key":"/apisix/consumers/jack","value":)" + consumer + "}]}}",
        R"({"node":{"key":"/apisix/consumers/jack","value":)" + consumer + "}}");
    const ImportFile file = read_apisix(text, defaults());
    CHECK(file.outcomes.empty());
    REQUIRE(file.rows.size() == 1);
    CHECK(file.place_name == "entry");
    const CreateKey& request = file.rows[0].request;
    CHECK(file.rows[0].place == 1);
    CHECK(request.name == "jack");
    CHECK(request.owner.id.str() == "jack");
    CHECK(request.description == "the mobile app");
    CHECK(request.plan == "gold");
    CHECK(request.scopes == Texts{"orders:write", "reports:read"});
    CHECK(request.metadata == R"({"apisix":{"consumer":"jack","group_id":"gold","labels":{"role":"staff"}}})");
    CHECK(file.rows[0].key.last4 == "-one");
}

TEST_CASE("import apisix: credentials belong to the consumer in their path", "[cli]")
{
    const ImportFile file = read_apisix(R"({"list":[{"key":"/apisix/consumers/jack/credentials/c-1","value":)"
                                        R"({"id":"c-1","plugins":{"key-auth":{"key":"jack-key-two"}}}}]})",
                                        defaults());
    REQUIRE(file.rows.size() == 1);
    CHECK(file.rows[0].request.owner.id.str() == "jack");
}

TEST_CASE("import apisix: what has no key is skipped, what cannot work is refused", "[cli]")
{
    const ImportFile file = read_apisix(R"({"list":[
        {"value":{"username":"jwt","plugins":{"jwt-auth":{"key":"user-key"}}}},
        {"value":{"username":"env","plugins":{"key-auth":{"key":"$ENV://JACK"}}}},
        {"value":{"username":"off","plugins":{"key-auth":{"key":"off-key-one","_meta":{"disable":true}}}}},
        {"value":{"plugins":{"key-auth":{"key":"nameless-key"}}}},
        7]})",
                                        defaults());
    CHECK(file.rows.empty());
    REQUIRE(file.outcomes.size() == 5);
    CHECK(file.outcomes[0].status == Status::skipped);
    for (std::size_t i = 1; i < 5; ++i) {
        CHECK(file.outcomes[i].status == Status::refused);
        CHECK(file.outcomes[i].place == i + 1);
    }
    CHECK(failure_of(read_apisix, "{").find("not JSON") != std::string::npos);
    CHECK(failure_of(read_apisix, "7").find("no answer of APISIX") != std::string::npos);
}
