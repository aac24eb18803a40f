// One node's vault on a stand-in of the test's own, and what the tests do with it.
#pragma once

#include "adapters/hashicorp/secret_vault.hpp"
#include "contract/fault_of.hpp"
#include "support/run_awaitable.hpp"
#include "support/vault_server.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace gw {

using namespace std::chrono_literals;

class VaultNode {
public:
    explicit VaultNode(hashicorp::VaultOptions options)
    {
        options.up = &up;
        vault.emplace(std::move(options));
    }

    result<std::uint64_t> write(const std::string& path, const std::string& text, std::uint64_t expected)
    {
        const Secret data{std::string{text}};
        return run(context, vault->write(path, data, expected));
    }
    // The entry's text; "" if there is none.
    result<std::string> read(const std::string& path)
    {
        auto found = run(context, vault->read(path));
        if (!found)
            return found.error();
        return *found ? std::string{(*found)->data.reveal()} : std::string{};
    }
    error_code read_fault(const std::string& path) { return fault_of(read(path)); }
    error_code destroy(const std::string& path) { return fault_of(run(context, vault->destroy(path))); }

    asio::io_context context{1};
    SharedCounter up;
    std::optional<hashicorp::SecretVault> vault;
};

template <class F>
std::chrono::milliseconds time_of(F work)
{
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

// False if the condition does not come true in time.
template <class F>
bool becomes_true(F condition, std::chrono::milliseconds within = 10s)
{
    const auto until = std::chrono::steady_clock::now() + within;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= until)
            return false;
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

} // namespace gw
