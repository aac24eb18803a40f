// Wiping and constant-time comparison, both OpenSSL's: the compiler may not optimise either away.
#include "domain/secret.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace gw {
namespace {

// The whole buffer, not only the visible part: a short string keeps its characters when it is moved from.
void wipe_string(std::string& text) noexcept
{
    text.resize(text.capacity()); // within capacity: no allocation
    wipe(text.data(), text.size());
    text.clear();
}

} // namespace

void wipe(void* data, std::size_t size) noexcept
{
    if (size != 0)
        OPENSSL_cleanse(data, size);
}

Secret::Secret(std::string&& text) noexcept : text_(std::move(text))
{
    wipe_string(text);
}

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_))
{
    wipe_string(other.text_);
}

Secret& Secret::operator=(Secret&& other) noexcept
{
    if (this != &other) {
        wipe_string(text_);
        text_ = std::move(other.text_);
        wipe_string(other.text_);
    }
    return *this;
}

Secret::~Secret()
{
    wipe_string(text_);
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool equal_constant_time(std::span<const unsigned char> a, std::span<const unsigned char> b) noexcept
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace gw
