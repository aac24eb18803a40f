#include "verification/redigests.hpp"

#include "keys/vault_record.hpp"
#include "observe/log.hpp"
#include "ports/digest_store.hpp"
#include "ports/secret_vault.hpp"

#include <algorithm>

namespace gw {

namespace {

awaitable<result<void>> write_to_vault(SecretVault& vault, const Redigest& item)
{
    const std::string path = vault_path(item.tenant, item.key);
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto entry = co_await vault.read(path);
        if (!entry)
            co_return entry.error();
        if (!*entry)
            co_return result<void>{};
        auto secrets = VaultRecord::from_json((*entry)->data);
        if (!secrets)
            co_return secrets.error();
        const auto stored = std::find_if(secrets->versions.begin(), secrets->versions.end(),
                                         [&](const VaultVersion& v) { return v.number == item.version; });
        if (stored == secrets->versions.end() || stored->pepper_id == item.pepper_id)
            co_return result<void>{};
        stored->digest = item.digest;
        stored->pepper_id = item.pepper_id;
        const Secret text = secrets->to_json();
        const auto written = co_await vault.write(path, text, (*entry)->version);
        if (written)
            co_return result<void>{};
        if (written.error() != errc::conflict)
            co_return written.error();
    }
    co_return make_error_code(errc::busy);
}

// The entry is of one pepper: it changes over only when that takes no other live version's digest away.
awaitable<result<void>> share(DigestStore& store, const Redigest& item)
{
    const auto found = co_await store.find(item.key);
    if (!found)
        co_return found.error();
    VerifiedDigests digests;
    digests.record_version = item.record_version;
    digests.pepper_id = item.pepper_id;
    if (*found)
        for (const auto& other : (*found)->versions) {
            if (other.number == item.version)
                continue;
            const bool is_live = std::find(item.live_versions.begin(), item.live_versions.end(), other.number) !=
                                 item.live_versions.end();
            if (is_live && (*found)->pepper_id != item.pepper_id)
                co_return result<void>{};
            if (is_live)
                digests.versions.push_back(other);
        }
    VerifiedDigests::Version own;
    own.number = item.version;
    own.digest = item.digest;
    digests.versions.push_back(own);
    co_return co_await store.put(item.key, digests);
}

} // namespace

bool Redigests::push(Redigest item)
{
    const std::lock_guard lock{mutex_};
    if (waiting_.size() >= most_waiting_ || !names_.emplace(item.key, item.version).second)
        return false;
    waiting_.push_back(std::move(item));
    return true;
}

std::size_t Redigests::waiting() const
{
    const std::lock_guard lock{mutex_};
    return waiting_.size();
}

std::optional<Redigest> Redigests::pop()
{
    const std::lock_guard lock{mutex_};
    if (waiting_.empty())
        return std::nullopt;
    std::optional<Redigest> item{std::move(waiting_.front())};
    waiting_.pop_front();
    names_.erase({item->key, item->version});
    return item;
}

awaitable<std::size_t> Redigests::write_some(SecretVault& vault, DigestStore& digests, std::size_t most)
{
    std::size_t done = 0;
    for (; done < most; ++done) {
        const std::optional<Redigest> item = pop();
        if (!item)
            break;
        const auto kept = co_await write_to_vault(vault, *item);
        const auto shared = co_await share(digests, *item);
        if (!kept || !shared)
            log(LogLevel::debug, "verification.digest_not_renewed",
                {{"key_id", item->key.view()}, {"reason", (kept ? shared.error() : kept.error()).message()}});
    }
    co_return done;
}

} // namespace gw
