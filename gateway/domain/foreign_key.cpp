#include "domain/foreign_key.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

namespace gw {
namespace {

std::string hash_bytes(const EVP_MD* algorithm, std::string_view text)
{
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size, algorithm, nullptr) != 1)
        std::abort(); // no memory: as for any allocation of OpenSSL's
    out.resize(size);
    return out;
}

// Where the separator stands; npos if there is nothing on one side of it.
std::size_t separator(ForeignIndex index, std::string_view key) noexcept
{
    const std::size_t at = index == ForeignIndex::dot_prefix ? key.find('.') : key.rfind('_');
    return at == 0 || at == std::string_view::npos || at + 1 == key.size() ? std::string_view::npos : at;
}

// "name|value": a name has no '|', so no two pairs are the same text.
std::string labelled(ForeignIndex index, std::string_view value)
{
    std::string text;
    text.reserve(20 + value.size());
    text.append(to_string(index)).append("|").append(value);
    return text;
}

} // namespace

std::string_view to_string(ForeignIndex index) noexcept
{
    switch (index) {
    case ForeignIndex::sha256: return "sha256";
    case ForeignIndex::sha1: return "sha1";
    case ForeignIndex::sha512: return "sha512";
    case ForeignIndex::md5: return "md5";
    case ForeignIndex::dot_prefix: return "dot-prefix";
    case ForeignIndex::underscore_prefix: return "underscore-prefix";
    }
    return "";
}

std::optional<ForeignIndex> parse_foreign_index(std::string_view name) noexcept
{
    for (const ForeignIndex index : k_foreign_indexes)
        if (to_string(index) == name)
            return index;
    return std::nullopt;
}

bool is_foreign_key(std::string_view text, std::string_view brand) noexcept
{
    return text.size() >= k_shortest_foreign_key && text.size() <= k_longest_foreign_key &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; }) &&
           !has_api_key_shape(text, brand);
}

std::string foreign_index_value(ForeignIndex index, std::string_view key)
{
    switch (index) {
    case ForeignIndex::sha256: return hash_bytes(EVP_sha256(), key);
    case ForeignIndex::sha1: return hash_bytes(EVP_sha1(), key);
    case ForeignIndex::sha512: return hash_bytes(EVP_sha512(), key);
    case ForeignIndex::md5: return hash_bytes(EVP_md5(), key);
    case ForeignIndex::dot_prefix:
    case ForeignIndex::underscore_prefix: break;
    }
    const std::size_t at = separator(index, key);
    return at == std::string_view::npos ? std::string{} : std::string{key.substr(0, at)};
}

std::size_t foreign_hash_bytes(ForeignIndex index) noexcept
{
    switch (index) {
    case ForeignIndex::sha256: return 32;
    case ForeignIndex::sha1: return 20;
    case ForeignIndex::sha512: return 64;
    case ForeignIndex::md5: return 16;
    case ForeignIndex::dot_prefix:
    case ForeignIndex::underscore_prefix: break;
    }
    return 0;
}

std::string_view after_prefix(ForeignIndex index, std::string_view key) noexcept
{
    const std::size_t at = is_prefix(index) ? separator(index, key) : std::string_view::npos;
    return at == std::string_view::npos ? key : key.substr(at + 1);
}

Secret foreign_secret(ForeignIndex index, std::string_view value)
{
    std::string text = labelled(index, value);
    Sha256 hash = sha256(text);
    Secret secret{to_hex(hash)};
    wipe(text.data(), text.size());
    wipe(hash.data(), hash.size());
    return secret;
}

ForeignDigest foreign_digest(std::string_view pepper, ForeignIndex index, std::string_view value)
{
    std::string text = labelled(index, value);
    ForeignDigest digest;
    digest.index = index;
    digest.value = hmac_sha256(pepper, text);
    wipe(text.data(), text.size());
    return digest;
}

} // namespace gw
