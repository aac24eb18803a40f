// A SecretVault in memory that behaves like the contract.
#pragma once

#include "ports/secret_vault.hpp"
#include "support/fakes/database.hpp"

namespace gw {

class FakeSecretVault final : public SecretVault {
public:
    FakeFaults faults;

    awaitable<result<std::optional<VaultEntry>>> read(const std::string& path) override
    {
        co_await yield_once();
        if (faults.fails("read"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{mutex_};
        std::optional<VaultEntry> out;
        if (const auto found = entries_.find(path); found != entries_.end()) {
            VaultEntry entry;
            entry.data = found->second.data.clone();
            entry.version = found->second.version;
            out.emplace(std::move(entry));
        }
        co_return out;
    }

    awaitable<result<std::uint64_t>> write(const std::string& path, const Secret& data, std::uint64_t expected) override
    {
        co_await yield_once();
        if (faults.fails("write"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{mutex_};
        const auto found = entries_.find(path);
        if ((found == entries_.end() ? 0 : found->second.version) != expected)
            co_return make_error_code(errc::conflict);
        VaultEntry& entry = entries_[path];
        entry.data = data.clone();
        co_return ++entry.version;
    }

    awaitable<result<void>> destroy(const std::string& path) override
    {
        co_await yield_once();
        if (faults.fails("destroy"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{mutex_};
        entries_.erase(path);
        co_return result<void>{};
    }

    std::size_t size() const
    {
        const std::lock_guard lock{mutex_};
        return entries_.size();
    }
    bool contains(const std::string& path) const
    {
        const std::lock_guard lock{mutex_};
        return entries_.contains(path);
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, VaultEntry> entries_;
};

} // namespace gw
