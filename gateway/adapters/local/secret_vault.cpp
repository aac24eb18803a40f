// Each call is one piece of work for the pool. The lambdas capture by reference: their frame waits for them.
#include "adapters/local/secret_vault.hpp"

#include "adapters/local/guarded.hpp"

#include <utility>

namespace gw::local {
namespace {

result<std::optional<VaultEntry>> read_entry(const SealedFiles& files, const std::string& path)
{
    auto found = files.read(path);
    if (!found)
        return found.error();
    if (!*found)
        return std::optional<VaultEntry>{};
    VaultEntry entry{std::move((*found)->text), (*found)->version};
    return std::optional<VaultEntry>{std::move(entry)};
}

} // namespace

SecretVault::SecretVault(const std::filesystem::path& folder, const std::optional<Secret>& master_key,
                         BlockingPool& pool)
    : files_(folder / "entries", folder, master_key, "secrets", SealedFiles::Durability::durable), pool_(pool)
{
}

awaitable<result<std::optional<VaultEntry>>> SecretVault::read(const std::string& path)
{
    auto work = [this, &path] { return guarded([&] { return read_entry(files_, path); }); };
    co_return co_await offload(pool_, work);
}

awaitable<result<std::uint64_t>> SecretVault::write(const std::string& path, const Secret& data,
                                                    std::uint64_t expected)
{
    auto work = [this, &path, &data, expected] {
        return guarded([&] { return files_.write(path, data, expected); });
    };
    co_return co_await offload(pool_, work);
}

awaitable<result<void>> SecretVault::destroy(const std::string& path)
{
    auto work = [this, &path] { return guarded([&] { return files_.destroy(path); }); };
    co_return co_await offload(pool_, work);
}

} // namespace gw::local
