// SHA-256, HMAC, hexadecimal and random bytes: the part of api_key.hpp that knows nothing of keys.
// The plain SHA-256 functions are deprecated in OpenSSL 3, but all others allocate on every use, and sha256() is on
// the path of every request.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "domain/api_key.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace gw {
namespace {

// OpenSSL 3 looks an algorithm up by name on every one-shot call, which costs more than hashing a key does.
// Fetched once and kept until the process ends.
const EVP_MD* sha256_algorithm() noexcept
{
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return algorithm;
}

constexpr std::string_view k_base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

} // namespace

Sha256 sha256(std::string_view text) noexcept
{
    Sha256 out;
    SHA256_CTX context;
    if (SHA256_Init(&context) != 1 || SHA256_Update(&context, text.data(), text.size()) != 1 ||
        SHA256_Final(out.data(), &context) != 1)
        std::abort(); // they cannot fail
    OPENSSL_cleanse(&context, sizeof context);
    return out;
}

Sha256 hmac_sha256(std::string_view key, std::string_view text) noexcept
{
    Sha256 out;
    // A null key would mean "the last one" to OpenSSL.
    const char* const key_bytes = key.empty() ? "" : key.data();
    if (HMAC(sha256_algorithm(), key_bytes, static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(),
             nullptr) == nullptr)
        std::abort();
    return out;
}

void random_bytes(std::span<unsigned char> out)
{
    while (!out.empty()) {
        const ssize_t count = ::getrandom(out.data(), out.size(), 0);
        if (count > 0)
            out = out.subspan(static_cast<std::size_t>(count));
        else if (errno != EINTR)
            throw std::system_error{errno, std::generic_category(), "getrandom"};
    }
}

std::string random_base62(std::size_t length)
{
    std::string text;
    text.reserve(length);
    std::array<unsigned char, 64> pool;
    while (text.size() < length) {
        random_bytes(pool);
        for (const unsigned char byte : pool) {
            // Six bits at a time; 62 and 63 are thrown away, so that every character is equally likely.
            const std::size_t index = byte & 63u;
            if (index < k_base62.size() && text.size() < length)
                text.push_back(k_base62[index]);
        }
    }
    wipe(pool.data(), pool.size());
    return text;
}

std::string to_hex(std::span<const unsigned char> bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const unsigned char byte : bytes) {
        hex.push_back(digits[byte >> 4]);
        hex.push_back(digits[byte & 15u]);
    }
    return hex;
}

std::optional<std::string> from_hex(std::string_view hex)
{
    if (hex.size() % 2 != 0)
        return std::nullopt;
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

} // namespace gw
