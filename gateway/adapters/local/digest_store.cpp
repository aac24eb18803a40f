// An entry's text: format 1 | record version, 8 bytes | size of the pepper's id, 1 byte | pepper's id | then
// for every version its number, 4 bytes, and its digest, 32 bytes. Numbers are big-endian.
#include "adapters/local/digest_store.hpp"

#include "adapters/local/guarded.hpp"

#include <algorithm>
#include <utility>

namespace gw::local {
namespace {

constexpr char k_format = 1;
constexpr std::size_t k_version_bytes = 4 + std::tuple_size_v<Sha256>;

void append_number(std::string& out, std::uint64_t number, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(number >> shift));
}

// Takes `bytes` off the front; the caller has made sure that they are there.
std::uint64_t take_number(std::string_view& in, std::size_t bytes)
{
    std::uint64_t number = 0;
    for (const char c : in.substr(0, bytes))
        number = number << 8 | static_cast<unsigned char>(c);
    in.remove_prefix(bytes);
    return number;
}

Secret encode(const VerifiedDigests& digests)
{
    std::string text;
    text.reserve(10 + digests.pepper_id.size() + digests.versions.size() * k_version_bytes);
    text.push_back(k_format);
    append_number(text, digests.record_version, 8);
    append_number(text, digests.pepper_id.size(), 1);
    text += digests.pepper_id;
    for (const auto& version : digests.versions) {
        append_number(text, version.number, 4);
        text.append(version.digest.begin(), version.digest.end());
    }
    return Secret{std::move(text)};
}

result<VerifiedDigests> decode(std::string_view in)
{
    if (in.size() < 10 || in.front() != k_format)
        return errc::corrupt;
    in.remove_prefix(1);
    VerifiedDigests digests;
    digests.record_version = take_number(in, 8);
    const std::size_t id_size = take_number(in, 1);
    if (in.size() < id_size || (in.size() - id_size) % k_version_bytes != 0)
        return errc::corrupt;
    digests.pepper_id = in.substr(0, id_size);
    in.remove_prefix(id_size);
    while (!in.empty()) {
        auto& version = digests.versions.emplace_back();
        version.number = static_cast<std::uint32_t>(take_number(in, 4));
        std::copy_n(in.begin(), version.digest.size(), version.digest.begin());
        in.remove_prefix(version.digest.size());
    }
    return digests;
}

std::string path_of(const KeyId& id)
{
    return std::string{id.view().substr(0, 2)} + "/" + id.str();
}

result<std::optional<VerifiedDigests>> find_digests(const SealedFiles& files, const KeyId& id)
{
    const auto entry = files.read(path_of(id));
    if (!entry)
        return entry.error();
    if (!*entry)
        return std::optional<VerifiedDigests>{};
    auto digests = decode((*entry)->text.reveal());
    if (!digests)
        return digests.error();
    return std::optional<VerifiedDigests>{std::move(*digests)};
}

// The version that a write must expect; empty if what is stored is newer than `digests`. A spoiled entry is
// removed: it is only a cache.
result<std::optional<std::uint64_t>> replaceable(SealedFiles& files, const KeyId& id,
                                                 const VerifiedDigests& digests)
{
    const std::string path = path_of(id);
    const auto entry = files.read(path);
    if (entry && !*entry)
        return std::optional<std::uint64_t>{0};
    if (!entry && entry.error() != errc::corrupt)
        return entry.error();
    const auto stored = entry ? decode((*entry)->text.reveal()) : result<VerifiedDigests>{errc::corrupt};
    if (stored && stored->record_version > digests.record_version)
        return std::optional<std::uint64_t>{};
    if (stored)
        return std::optional<std::uint64_t>{(*entry)->version};
    if (const auto destroyed = files.destroy(path); !destroyed)
        return destroyed.error();
    return std::optional<std::uint64_t>{0};
}

result<void> put_digests(SealedFiles& files, const KeyId& id, const VerifiedDigests& digests)
{
    if (digests.pepper_id.size() > 255)
        return errc::invalid;
    const Secret text = encode(digests);
    for (int attempt = 0; attempt < 100; ++attempt) {
        const auto expected = replaceable(files, id, digests);
        if (!expected)
            return expected.error();
        if (!*expected)
            return {};
        const auto written = files.write(path_of(id), text, **expected);
        if (written)
            return {};
        if (written.error() != errc::conflict && written.error() != errc::corrupt)
            return written.error();
    }
    return errc::busy; // a hundred others in a row were quicker
}

} // namespace

DigestStore::DigestStore(const std::filesystem::path& folder, const std::optional<Secret>& master_key,
                         BlockingPool& pool)
    : files_(folder / "digests", folder, master_key, "digests", SealedFiles::Durability::best_effort),
      pool_(pool)
{
}

awaitable<result<std::optional<VerifiedDigests>>> DigestStore::find(const KeyId& id)
{
    auto work = [this, &id] { return guarded([&] { return find_digests(files_, id); }); };
    co_return co_await offload(pool_, work);
}

awaitable<result<void>> DigestStore::put(const KeyId& id, const VerifiedDigests& digests)
{
    auto work = [this, &id, &digests] { return guarded([&] { return put_digests(files_, id, digests); }); };
    co_return co_await offload(pool_, work);
}

awaitable<result<void>> DigestStore::erase(const KeyId& id)
{
    auto work = [this, &id] { return guarded([&] { return files_.destroy(path_of(id)); }); };
    co_return co_await offload(pool_, work);
}

} // namespace gw::local
