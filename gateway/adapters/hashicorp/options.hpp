// How a HashiCorp Vault or OpenBao server is reached and who we are to it.
#pragma once

#include "domain/secret.hpp"
#include "net/tls.hpp"
#include "observe/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace gw::hashicorp {

struct AppRole {
    std::string role_id;
    Secret secret_id;
    std::string mount = "approle";
};

struct VaultOptions {
    std::string host; // a name or an IP literal
    std::uint16_t port = 8200;
    bool tls = true;
    TlsClientOptions trust;
    std::string mount = "secret";        // of a KV version 2 engine; may have slashes inside
    std::string name_space;              // X-Vault-Namespace; empty: the root's
    std::chrono::milliseconds timeout{2000}; // of a whole call: authentication and repetitions included
    std::optional<AppRole> approle;      // one of these two
    std::optional<Secret> token;
    std::chrono::milliseconds idle_probe{5000}; // how often the server's health is asked for while nothing else is
    SharedCounter* up = nullptr;         // 1 while the server answers, else 0; must outlive the vault
};

} // namespace gw::hashicorp
