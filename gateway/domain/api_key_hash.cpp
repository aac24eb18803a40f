// bcrypt through libxcrypt: hash_api_key and verify_api_key.
#include "domain/api_key.hpp"

#include <crypt.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace gw {
namespace {

constexpr int k_lowest_cost = 4, k_highest_cost = 16;
constexpr std::size_t k_longest_secret = 72; // bcrypt silently ignores what follows
constexpr std::size_t k_bcrypt_length = 60;

// crypt_rn's phrase and scratch memory hold the secret: both are wiped when this goes. 32 KiB: pool threads
// only.
class CryptCall {
public:
    CryptCall() noexcept : data_{} {}
    CryptCall(const CryptCall&) = delete;
    CryptCall& operator=(const CryptCall&) = delete;
    ~CryptCall()
    {
        wipe(&data_, sizeof data_);
        wipe(phrase_, sizeof phrase_);
    }

    // The hash, valid while this object lives; null if crypt_rn failed (errno says why).
    const char* run(std::string_view secret, const char* setting) noexcept
    {
        secret.copy(phrase_, k_longest_secret);
        phrase_[secret.size()] = '\0';
        return ::crypt_rn(phrase_, setting, &data_, sizeof data_);
    }

private:
    crypt_data data_;
    char phrase_[k_longest_secret + 1];
};

bool is_hashable(std::string_view secret) noexcept
{
    return secret.size() <= k_longest_secret && secret.find('\0') == secret.npos;
}

// "$2b$10$" and 53 characters. $2a$ and $2y$ are the same function under the names of other authors.
// The bound on the cost keeps a damaged entry from holding a hash thread for hours.
bool is_bcrypt(std::string_view hash) noexcept
{
    if (hash.size() != k_bcrypt_length || hash.find('\0') != hash.npos || hash[6] != '$' ||
        !(hash.starts_with("$2b$") || hash.starts_with("$2a$") || hash.starts_with("$2y$")))
        return false;
    int cost = 0;
    const auto [end, failure] = std::from_chars(hash.data() + 4, hash.data() + 6, cost);
    return failure == std::errc{} && end == hash.data() + 6 && cost >= k_lowest_cost &&
           cost <= k_highest_cost;
}

} // namespace

std::string hash_api_key(std::string_view secret, int cost)
{
    if (cost < k_lowest_cost || cost > k_highest_cost || !is_hashable(secret))
        throw std::system_error{EINVAL, std::generic_category(), "bcrypt"};
    std::array<unsigned char, 16> entropy;
    random_bytes(entropy);
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    if (::crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost),
                           reinterpret_cast<const char*>(entropy.data()), static_cast<int>(entropy.size()),
                           salt, sizeof salt) == nullptr)
        throw std::system_error{errno, std::generic_category(), "crypt_gensalt_rn"};
    CryptCall call;
    const char* const hash = call.run(secret, salt);
    if (hash == nullptr)
        throw std::system_error{errno, std::generic_category(), "crypt_rn"};
    return hash;
}

bool verify_api_key(std::string_view secret, const std::string& hash) noexcept
{
    if (!is_hashable(secret) || !is_bcrypt(hash))
        return false;
    CryptCall call;
    const char* const computed = call.run(secret, hash.c_str());
    return computed != nullptr && equal_constant_time(std::string_view{computed}, std::string_view{hash});
}

} // namespace gw
