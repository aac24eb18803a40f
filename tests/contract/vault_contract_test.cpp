// The vault of HashiCorp's or OpenBao's server against the contract that the sealed local one keeps too: on the
// stand-in, and on a real server whenever VAULT_ADDR and VAULT_TOKEN name one.
#include "contract/secret_vault_contract.hpp"

#include "contract/vault_world.hpp"
#include "support/vault_server.hpp"

#include <cstdlib>

using namespace gw;

namespace {

VaultServer::With tls()
{
    VaultServer::With with;
    with.tls = true;
    return with;
}

std::string variable(const char* name)
{
    const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? "" : value;
}

// As Vault's own command line reads them: VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE, VAULT_CACERT; and VAULT_MOUNT.
hashicorp::VaultOptions options_of_environment()
{
    hashicorp::VaultOptions options;
    std::string address = variable("VAULT_ADDR");
    options.tls = address.starts_with("https://");
    address.erase(0, address.find("//") + 2);
    address.erase(std::min(address.find('/'), address.size()));
    const std::size_t colon = address.find_last_of(':');
    const bool has_port = colon != std::string::npos && address.find(']', colon) == std::string::npos;
    options.port = has_port ? static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))) : options.tls ? 443 : 80;
    options.host = address.substr(0, has_port ? colon : address.size());
    options.trust.ca_file = variable("VAULT_CACERT");
    options.name_space = variable("VAULT_NAMESPACE");
    options.token = Secret{variable("VAULT_TOKEN")};
    if (const std::string mount = variable("VAULT_MOUNT"); !mount.empty())
        options.mount = mount;
    options.timeout = std::chrono::seconds{5};
    return options;
}

} // namespace

TEST_CASE("vault: keeps the contract over HTTP with a token", "[contract]")
{
    static VaultServer server;
    secret_vault_contract([] { return VaultWorld{[] { return server.with_root_token(); }}; });
}

TEST_CASE("vault: keeps the contract over TLS with AppRole", "[contract]")
{
    static VaultServer server{tls()};
    secret_vault_contract([] { return VaultWorld{[] { return server.with_approle(); }}; });
}

TEST_CASE("vault: keeps the contract on the real server of VAULT_ADDR", "[contract]")
{
    if (variable("VAULT_ADDR").empty() || variable("VAULT_TOKEN").empty()) {
        WARN("VAULT_ADDR and VAULT_TOKEN are not set: only the stand-in was tested");
        return;
    }
    secret_vault_contract([] { return VaultWorld{options_of_environment}; });
}
