#include "keys/pepper_rotation.hpp"

#include "keys/vault_record.hpp"
#include "net/side_by_side.hpp"
#include "ports/key_store.hpp"
#include "ports/secret_vault.hpp"

#include <algorithm>

namespace gw {

namespace {

constexpr std::size_t k_page = 100, k_reads_at_once = 16;

struct Count {
    const std::string& pepper_id;
    WallTime now;
    std::size_t found = 0;
    error_code fault;
};

awaitable<void> look_at(SecretVault& vault, const KeyRecord& key, Count& count)
{
    if (key.status == KeyStatus::revoked || key.is_expired(count.now) || count.fault)
        co_return;
    const std::string path = vault_path(key.tenant, key.id);
    const auto entry = co_await vault.read(path);
    if (!entry || !*entry) {
        if (!entry)
            count.fault = entry.error();
        co_return;
    }
    const auto secrets = VaultRecord::from_json((*entry)->data);
    if (!secrets) {
        count.fault = secrets.error();
        co_return;
    }
    count.found += std::any_of(key.versions.begin(), key.versions.end(), [&](const KeyVersion& version) {
        const VaultVersion* stored = version.is_live(count.now) ? secrets->find(version.number) : nullptr;
        return stored && stored->pepper_id == count.pepper_id;
    });
}

} // namespace

awaitable<result<std::size_t>> count_digests_under(SecretVault& vault, KeyStore& keys, const std::string& pepper_id,
                                                   WallTime now)
{
    Count count{pepper_id, now};
    KeyQuery query;
    query.limit = k_page;
    query.sort = KeyQuery::Sort::created_asc;
    for (;;) {
        const auto page = co_await keys.list(query);
        if (!page)
            co_return page.error();
        const auto look = [&](std::size_t i) { return look_at(vault, page->keys[i], count); };
        co_await side_by_side(page->keys.size(), k_reads_at_once, look);
        if (count.fault)
            co_return count.fault;
        if (!page->next_cursor)
            co_return count.found;
        query.cursor = *page->next_cursor;
    }
}

awaitable<result<PepperRotation>> rotate_pepper(SecretVault& vault, KeyStore& keys, std::chrono::seconds grace, bool force,
                                                WallTime now)
{
    const std::string path = PepperRing::k_path;
    const auto entry = co_await vault.read(path);
    if (!entry)
        co_return entry.error();
    if (!*entry)
        co_return make_error_code(errc::not_found);
    std::vector<Pepper> peppers = parse_peppers((*entry)->data);
    if (peppers.empty())
        co_return make_error_code(errc::corrupt);

    PepperRotation rotation;
    rotation.since = now + grace;
    rotation.previous = peppers.front().id;
    if (peppers.size() == PepperRing::k_generations) {
        rotation.ended = peppers.back().id;
        const auto left = co_await count_digests_under(vault, keys, *rotation.ended, now);
        if (!left)
            co_return left.error();
        rotation.left_behind = *left;
        if (rotation.left_behind > 0 && !force)
            co_return rotation;
        peppers.pop_back();
    }
    peppers.insert(peppers.begin(), fresh_pepper(rotation.since));
    rotation.current = peppers.front().id;
    const Secret text = peppers_to_json(peppers);
    const auto written = co_await vault.write(path, text, (*entry)->version);
    if (!written)
        co_return written.error();
    rotation.is_done = true;
    co_return rotation;
}

} // namespace gw
