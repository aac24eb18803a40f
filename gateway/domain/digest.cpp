// SHA-256, HMAC, hexadecimal and random bytes: the part of api_key.hpp that knows nothing of keys.
#include "domain/api_key.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace gw {
namespace {

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

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
    // One context a thread, reused: no allocation after a thread's first call.
    thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
    Sha256 out;
    // Fails only without memory or without libcrypto's default provider: nothing can be verified then.
    if (!context || EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), out.data(), nullptr) != 1)
        std::abort();
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
