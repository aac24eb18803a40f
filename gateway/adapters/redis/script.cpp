// The SHA-1 that EVALSHA names a script by: a name, not a protection.
#include "adapters/redis/client.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace gw::redis {

Script::Script(std::string source) : source_(std::move(source))
{
    constexpr char digits[] = "0123456789abcdef";
    std::array<unsigned char, 20> digest{};
    unsigned size = 0;
    if (EVP_Digest(source_.data(), source_.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1 ||
        size != digest.size())
        throw std::runtime_error{"OpenSSL offers no SHA-1, by which Redis names its scripts"};
    for (const unsigned char byte : digest) {
        sha1_.push_back(digits[byte >> 4]);
        sha1_.push_back(digits[byte & 15u]);
    }
}

} // namespace gw::redis
