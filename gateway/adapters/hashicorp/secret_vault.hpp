// Secrets in HashiCorp Vault or OpenBao: a KV engine of version 2. An entry's text lies in the field `entry`.
//
// All I/O runs on one thread of the vault's own, which the callers of every worker come to through call_on: so one
// pool of TLS connections, one token and one circuit serve them all without locks, tokens are renewed and a dead
// server is probed whether or not anybody calls, and the short-lived contexts of the command line need nothing
// kept alive. It costs two hops between threads, some microseconds on a path that waits for a network and often
// for bcrypt. A call that is under way ends within the timeout, also if its caller is gone.
#pragma once

#include "adapters/hashicorp/authentication.hpp"
#include "adapters/hashicorp/options.hpp"
#include "adapters/hashicorp/server.hpp"
#include "ports/secret_vault.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <array>
#include <thread>

namespace gw::hashicorp {

class SecretVault final : public gw::SecretVault {
public:
    // Does not wait for the server. Throws std::runtime_error if the TLS settings cannot be used.
    explicit SecretVault(VaultOptions options);
    // Waits for calls under way.
    ~SecretVault() override;

    // An entry whose current version was deleted by somebody else, even if it could be restored, reads as none;
    // writing there is a conflict until it is destroyed.
    awaitable<result<std::optional<VaultEntry>>> read(const std::string& path) override;
    awaitable<result<std::uint64_t>> write(const std::string& path, const Secret& data, std::uint64_t expected) override;
    awaitable<result<void>> destroy(const std::string& path) override;

    // One field of an entry that somebody else wrote; empty if the entry or the field is not there, or is no text.
    awaitable<result<std::optional<Secret>>> read_field(std::string path, std::string field);

private:
    struct Found;
    awaitable<result<Found>> fetch(std::string path, std::string field, Deadline deadline);
    awaitable<result<std::uint64_t>> store(std::string path, Secret data, std::uint64_t expected);
    awaitable<result<void>> remove(std::string path);
    awaitable<result<std::uint64_t>> store_once(const std::string& path, const Secret& data, std::uint64_t expected, bool& in_doubt,
                                                Deadline deadline);
    awaitable<Answer> call(std::string_view method, const std::string& path, const WipedString& body, Deadline deadline);
    awaitable<Answer> call_once(std::string_view method, const std::string& path, const WipedString& body, Deadline deadline);
    void start(awaitable<void> work, asio::cancellation_signal& ending);
    Deadline deadline() const noexcept { return MonoTime::clock::now() + options_.timeout; }

    VaultOptions options_;
    asio::io_context context_{1};
    asio::executor_work_guard<Executor> guard_;
    Server server_;
    Authentication authentication_;
    std::array<asio::cancellation_signal, 2> endings_; // of what runs in the background
    std::thread thread_;
};

} // namespace gw::hashicorp
