// Worlds for the vault's contract, all of one server: each lies below a random path of its own and is cleared at its end.
#pragma once

#include "adapters/hashicorp/secret_vault.hpp"
#include "contract/contexts.hpp"
#include "domain/api_key.hpp"
#include "support/run_awaitable.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace gw {

// A vault seen below one path of another. Notes where something was written.
class VaultBelow final : public SecretVault {
public:
    struct Written {
        std::mutex mutex;
        std::set<std::string> paths;
    };
    VaultBelow(std::unique_ptr<SecretVault> whole, std::string top, Written& written)
        : whole_(std::move(whole)), top_(std::move(top)), written_(written)
    {
    }

    awaitable<result<std::optional<VaultEntry>>> read(const std::string& path) override
    {
        const std::string below = top_ + path;
        co_return co_await whole_->read(below);
    }
    awaitable<result<std::uint64_t>> write(const std::string& path, const Secret& data, std::uint64_t expected) override
    {
        const std::string below = top_ + path;
        {
            const std::lock_guard locked{written_.mutex};
            written_.paths.insert(below);
        }
        co_return co_await whole_->write(below, data, expected);
    }
    awaitable<result<void>> destroy(const std::string& path) override
    {
        const std::string below = top_ + path;
        co_return co_await whole_->destroy(below);
    }

private:
    std::unique_ptr<SecretVault> whole_;
    std::string top_;
    Written& written_;
};

class VaultWorld {
public:
    using MakeOptions = std::function<hashicorp::VaultOptions()>;
    explicit VaultWorld(MakeOptions options) : options_(std::move(options)) {}
    VaultWorld(VaultWorld&&) = default;
    VaultWorld(const VaultWorld&) = delete;
    ~VaultWorld()
    {
        if (!written_ || written_->paths.empty())
            return;
        hashicorp::SecretVault vault{options_()};
        for (const std::string& path : written_->paths)
            (void)run(*clearing_, vault.destroy(path));
    }

    std::unique_ptr<SecretVault> open(asio::io_context&)
    {
        return std::make_unique<VaultBelow>(std::make_unique<hashicorp::SecretVault>(options_()), top_, *written_);
    }
    asio::io_context& context() { return contexts_->fresh(); }

private:
    MakeOptions options_;
    std::string top_ = "portcullis-test-" + random_base62(12) + "/";
    std::unique_ptr<VaultBelow::Written> written_ = std::make_unique<VaultBelow::Written>();
    std::unique_ptr<Contexts> contexts_ = std::make_unique<Contexts>();
    std::unique_ptr<asio::io_context> clearing_ = std::make_unique<asio::io_context>(1);
};

} // namespace gw
