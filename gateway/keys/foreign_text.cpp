#include "keys/foreign_text.hpp"

#include <algorithm>
#include <array>

namespace gw {
namespace {

using Read = boost::system::result<ForeignKey, ForeignProblem>;

ForeignProblem because(std::string reason)
{
    ForeignProblem problem;
    problem.reason = std::move(reason);
    return problem;
}

// "SHA-256" is "sha256".
std::string plain_name(std::string_view name)
{
    std::string out;
    for (const char c : name)
        if (c != '-' && c != '_' && c != ' ')
            out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    return out;
}

int base64_value(char c) noexcept
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

// RFC 4648 sections 4 and 5, with or without padding. Empty if it is neither.
std::string from_base64(std::string_view text)
{
    while (!text.empty() && text.back() == '=')
        text.remove_suffix(1);
    if (text.size() % 4 == 1)
        return {};
    std::string out;
    unsigned bits = 0, count = 0;
    for (const char c : text) {
        const int value = base64_value(c);
        if (value < 0)
            return {};
        bits = bits << 6 | static_cast<unsigned>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> count));
            bits &= (1u << count) - 1;
        }
    }
    return bits == 0 ? out : std::string{};
}

bool is_shown_text(std::string_view last4)
{
    return last4.size() <= 4 && std::all_of(last4.begin(), last4.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_bcrypt(std::string_view hash)
{
    if (hash.size() != 60 || hash[0] != '$' || hash[3] != '$' || hash[6] != '$' || hash[4] < '0' || hash[4] > '1' ||
        hash[5] < '0' || hash[5] > '9')
        return false;
    const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
    const bool is_body_fine = std::all_of(hash.begin() + 7, hash.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '/';
    });
    const std::string_view author = hash.substr(0, 3);
    return cost >= 4 && cost <= 16 && is_body_fine && (author == "$2a" || author == "$2b" || author == "$2y");
}

Read read_plain(const ForeignText& text, std::string_view brand)
{
    if (!text.key_hash.empty() || !text.hash_algorithm.empty())
        return because("has both a key and a hash; one of them is enough, give the key");
    if (has_api_key_shape(text.key, brand))
        return because("begins like a key of this gateway, and such keys are found in another way");
    if (text.key.size() < k_shortest_foreign_key)
        return because("the key is too short: at least 8 characters");
    if (text.key.size() > k_longest_foreign_key)
        return because("the key is too long: at most 512 characters");
    if (!is_foreign_key(text.key, brand))
        return because("the key has characters that no header can carry safely: visible ASCII only");
    ForeignKey out;
    out.value = foreign_index_value(out.index, text.key);
    out.last4 = text.key.substr(text.key.size() - 4);
    return out;
}

Read read_bcrypt(const ForeignText& text, ForeignKey out)
{
    if (text.key_prefix.empty())
        return because("is hashed with a salt and nothing says which key it is of: give the text that its key begins with "
                       "as key_prefix, or issue a new key");
    if (!is_bcrypt(text.key_hash))
        return because("the hash is not bcrypt of cost 4 to 16 ($2a$, $2b$ or $2y$)");
    const char separator = text.key_prefix.back();
    const std::string prefix = text.key_prefix.substr(0, text.key_prefix.size() - 1);
    if (separator != '.' && separator != '_')
        return because("key_prefix must end with the '.' or '_' that follows it in the key");
    out.index = separator == '.' ? ForeignIndex::dot_prefix : ForeignIndex::underscore_prefix;
    // The prefix has to come out of the key again, whatever follows.
    if (prefix.size() < 4 || foreign_index_value(out.index, text.key_prefix + "x") != prefix)
        return because("key_prefix must have 4 characters or more before its end, and a '.' at its end only");
    if (!std::all_of(prefix.begin(), prefix.end(), [](char c) { return c > 0x20 && c < 0x7F; }))
        return because("key_prefix must be visible ASCII");
    if (text.hash_of.empty() || text.hash_of == "key")
        out.of = HashedText::whole_key;
    else if (text.hash_of == "secret")
        out.of = separator == '.' ? HashedText::after_dot : HashedText::after_underscore;
    else
        return because("hash_of must be key or secret");
    out.value = prefix;
    out.hash = text.key_hash;
    return out;
}

Read read_hashed(const ForeignText& text)
{
    ForeignKey out;
    if (!is_shown_text(text.last4))
        return because("last4 must be at most 4 visible characters");
    if (!text.last4.empty())
        out.last4 = text.last4;
    const std::string algorithm = plain_name(text.hash_algorithm);
    if (algorithm.empty())
        return because("hash_algorithm is missing: sha256, sha1, sha512, md5 or bcrypt");
    if (algorithm == "bcrypt")
        return read_bcrypt(text, std::move(out));
    const auto index = parse_foreign_index(algorithm);
    if (!index) {
        constexpr std::array salted{"argon2", "argon2i", "argon2id", "scrypt", "pbkdf2", "pbkdf2sha256", "sha256crypt", "sha512crypt"};
        if (std::find(salted.begin(), salted.end(), algorithm) != salted.end())
            return because("is hashed with a salt by " + algorithm + "; of salted hashes only bcrypt can be imported");
        return because("the hash algorithm is not known: sha256, sha1, sha512, md5 or bcrypt");
    }
    const std::size_t size = foreign_hash_bytes(*index);
    std::string bytes;
    if (text.key_hash.size() == 2 * size)
        bytes = from_hex(text.key_hash).value_or("");
    if (bytes.empty())
        bytes = from_base64(text.key_hash);
    if (bytes.size() != size)
        return because("the hash is not " + algorithm + ": " + std::to_string(size) + " bytes in hexadecimal or base64");
    out.index = *index;
    out.value = std::move(bytes);
    return out;
}

} // namespace

Read read_foreign_key(const ForeignText& text, std::string_view brand)
{
    if (!text.key.empty())
        return read_plain(text, brand);
    if (!text.key_hash.empty())
        return read_hashed(text);
    return because("has neither a key nor a hash of one");
}

} // namespace gw
