// `stores.secrets.vault`: what it means, what is wrong with it, and references into it.
#include "settings/print.hpp"

#include "problems_of.hpp"

#include <cstdlib>

using namespace gw;

namespace {

// The section on line 2; its mapping begins at column 29.
std::string with_vault(const std::string& vault)
{
    return "version: 1\nstores: { secrets: { vault: { " + vault + " } } }\n";
}

const std::string k_token = "auth: { token: \"${env:GW_TEST_TOKEN}\" }";
const std::string k_address = "address: \"https://vault.example.com:8200\"";

struct Variables {
    Variables()
    {
        ::setenv("GW_TEST_TOKEN", "hvs.token", 1);
        ::setenv("GW_TEST_SECRET_ID", "secret-id", 1);
        ::setenv("GW_TEST_BROKEN", "two\nlines", 1);
    }
};

} // namespace

TEST_CASE("load vault: an address and a token are enough", "[settings]")
{
    const Variables variables;
    const Settings settings = settings_of(with_vault(k_address + ", " + k_token));
    REQUIRE(settings.stores.vault);
    const VaultSettings& vault = *settings.stores.vault;
    CHECK(vault.tls);
    CHECK(vault.host == "vault.example.com");
    CHECK(vault.port == 8200);
    CHECK(vault.mount == "secret");
    CHECK(vault.name_space.empty());
    CHECK(vault.ca_file.empty());
    CHECK(vault.timeout == std::chrono::seconds{2});
    CHECK_FALSE(vault.approle);
    REQUIRE(vault.token);
    CHECK(vault.token->reveal() == "hvs.token");
}

TEST_CASE("load vault: everything that can be said", "[settings]")
{
    const Variables variables;
    const Settings settings = settings_of(
        with_vault("address: \"http://[::1]/\", mount: kv/apis/, namespace: teams/api, ca: ca.pem, timeout: 500ms, "
                   "auth: { approle: { role_id: r, secret_id: \"${env:GW_TEST_SECRET_ID}\", mount: roles } }"));
    REQUIRE(settings.stores.vault);
    const VaultSettings& vault = *settings.stores.vault;
    CHECK_FALSE(vault.tls);
    CHECK(vault.host == "::1");
    CHECK(vault.port == 80);
    CHECK(vault.mount == "kv/apis");
    CHECK(vault.name_space == "teams/api");
    CHECK(vault.ca_file == "ca.pem");
    CHECK(vault.timeout == std::chrono::milliseconds{500});
    REQUIRE(vault.approle);
    CHECK(vault.approle->role_id == "r");
    CHECK(vault.approle->secret_id.reveal() == "secret-id");
    CHECK(vault.approle->mount == "roles");
    CHECK_FALSE(vault.token);
}

TEST_CASE("load vault: mistakes are told with their places", "[settings]")
{
    const Variables variables;
    const auto [vault, start] = GENERATE(table<std::string, std::string>({
        {k_token, "2:29: stores.secrets.vault.address: missing"},
        {"address: \"vault:8200\", " + k_token, "2:40: stores.secrets.vault.address: `vault:8200` is not an address"},
        {"address: \"https://vault/v1\", " + k_token, "2:40: stores.secrets.vault.address: `https://vault/v1` is not"},
        {k_address, "2:29: stores.secrets.vault.auth: missing"},
        {k_address + ", auth: {}", "2:78: stores.secrets.vault.auth: names no way to authenticate"},
        {k_address + ", auth: { token: hvs.token }", "2:87: stores.secrets.vault.auth.token: a secret must not stand in the file"},
        {k_address + ", auth: { token: \"${env:GW_TEST_BROKEN}\" }", "2:87: stores.secrets.vault.auth.token: is no token"},
        {k_address + ", auth: { approle: { role_id: r } }", "2:89: stores.secrets.vault.auth.approle.secret_id: missing"},
        {k_address + ", auth: { token: \"${vault:a#b}\" }", "2:87: stores.secrets.vault.auth.token: what is needed to reach"},
        {k_address + ", mount: \"a//b\", " + k_token, "2:79: stores.secrets.vault.mount: `a//b` is not a path"},
        {k_address + ", timeout: 1ms, " + k_token, "2:81: stores.secrets.vault.timeout: `1ms` is out of range"},
    }));
    const auto problems = load_problems(with_vault(vault));
    INFO(vault);
    for (const std::string& line : problems)
        UNSCOPED_INFO(line);
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0], Catch::StartsWith(start));
}

TEST_CASE("load vault: one store for secrets, and one way to authenticate", "[settings]")
{
    const Variables variables;
    const auto both = load_problems("version: 1\nstores: { secrets: { local: s, vault: { " + k_address + ", " + k_token + " } } }\n");
    REQUIRE(both.size() == 1);
    CHECK_THAT(both[0], Catch::Contains("write `local` or `vault`, not both"));
    const auto ways = load_problems(with_vault(k_address + ", auth: { token: \"${env:GW_TEST_TOKEN}\", approle: { role_id: r, secret_id: \"${env:GW_TEST_SECRET_ID}\" } }"));
    REQUIRE(ways.size() == 1);
    CHECK_THAT(ways[0], Catch::Contains("write `approle` or `token`, not both"));
}

TEST_CASE("load vault: plain HTTP to another machine is warned of", "[settings]")
{
    const Variables variables;
    const auto [address, warned] = GENERATE(table<std::string, bool>({{"http://vault:8200", true},
                                                                      {"http://10.0.0.1", true},
                                                                      {"https://vault:8200", false},
                                                                      {"http://127.0.0.1:8200", false},
                                                                      {"http://[::1]:8200", false},
                                                                      {"http://localhost:8200", false}}));
    INFO(address);
    bool found = false;
    for (const Problem& problem : validated(load_settings_text(with_vault("address: \"" + address + "\", " + k_token), "x")).problems)
        found |= problem.path == "stores.secrets.vault.address" && problem.severity == Problem::Severity::warning;
    CHECK(found == warned);
}

TEST_CASE("load vault: what is printed names it and shows no secret", "[settings]")
{
    const Variables variables;
    const std::string by_token = print_settings(settings_of(with_vault(k_address + ", " + k_token)));
    CHECK_THAT(by_token, Catch::Contains("address: \"https://vault.example.com:8200\"") && Catch::Contains("token: \"********\"") &&
                             !Catch::Contains("hvs.token"));
    const std::string by_role = print_settings(settings_of(
        with_vault(k_address + ", auth: { approle: { role_id: r, secret_id: \"${env:GW_TEST_SECRET_ID}\" } }")));
    CHECK_THAT(by_role, Catch::Contains("role_id: \"r\"") && Catch::Contains("secret_id: \"********\"") && !Catch::Contains("\"secret-id\""));
}

TEST_CASE("load vault: values may lie in the Vault, once there is one to look in", "[settings]")
{
    const Variables variables;
    const std::string text = with_vault(k_address + ", " + k_token) + "log: { access: \"${vault:logs/access#file}\" }\n";
    const Loaded first = load_settings_text(text, "x");
    CHECK(first.wants_vault);
    CHECK_FALSE(first.ok());
    CHECK(first.settings.stores.vault);
    const ReadVault vault = [](const std::string& path, const std::string& field) -> result<std::optional<Secret>> {
        return std::optional<Secret>{Secret{path + "." + field}};
    };
    const Loaded second = load_settings_text(text, "x", vault);
    CHECK(second.ok());
    CHECK_FALSE(second.wants_vault);
    CHECK(second.settings.log.access == "logs/access.file");
}
