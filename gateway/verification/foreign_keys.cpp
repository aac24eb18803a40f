#include "verification/foreign_keys.hpp"

#include "ports/secret_vault.hpp"

#include <vector>

namespace gw {

awaitable<result<void>> ForeignKeys::refresh(KeyStore& keys, SecretVault& vault)
{
    if (!is_stale_.exchange(false, std::memory_order_acq_rel))
        co_return result<void>{};
    const auto indexes = co_await keys.imported_indexes();
    error_code fault = indexes ? error_code{} : indexes.error();
    if (!fault && !indexes->empty() && peppers_.empty()) {
        const auto read = co_await peppers_.refresh(vault);
        fault = !read ? read.error() : peppers_.empty() ? make_error_code(errc::not_found) : error_code{};
    }
    if (fault) {
        may_have_changed();
        co_return fault;
    }
    bits_.store(indexes->bits(), std::memory_order_release);
    co_return result<void>{};
}

awaitable<result<std::optional<KeyStore::ImportedKey>>> ForeignKeys::find(KeyStore& keys, std::string_view text) const
{
    const ForeignIndexes in_use{bits_.load(std::memory_order_acquire)};
    std::vector<ForeignDigest> digests;
    for (const ForeignIndex index : k_foreign_indexes) {
        if (!in_use.contains(index))
            continue;
        std::string value = foreign_index_value(index, text);
        if (!value.empty())
            digests.push_back(foreign_digest(peppers_.current().value.reveal(), index, value));
        wipe(value.data(), value.size());
    }
    co_return co_await keys.find_imported(digests);
}

} // namespace gw
