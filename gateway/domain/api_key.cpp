// Generating and parsing keys as text. parse_api_key is reached by strangers: no allocation, no early exit
// that depends on the secret.
#include "domain/api_key.hpp"

#include "domain/crc32.hpp"

#include <string>

namespace gw {
namespace {

constexpr std::string_view k_base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t k_body_length = KeyId::k_length + k_secret_length + k_crc_length;

// The CRC-32 of `text` in base62: most significant first, zero-padded.
std::array<char, k_crc_length> checksum(std::string_view text) noexcept
{
    std::uint32_t crc = crc32(text);
    std::array<char, k_crc_length> out;
    for (std::size_t i = k_crc_length; i-- > 0; crc /= 62)
        out[i] = k_base62[crc % 62];
    return out;
}

// Looks at every character and branches on none: how long it takes says nothing about the secret.
bool is_base62(std::string_view text) noexcept
{
    unsigned bad = 0;
    for (const char c : text) {
        const unsigned u = static_cast<unsigned char>(c);
        const unsigned digit = (u - '0') < 10u, upper = (u - 'A') < 26u, lower = (u - 'a') < 26u;
        bad |= (digit | upper | lower) ^ 1u;
    }
    return bad == 0;
}

// The environment that `<brand>_(live|test)_` at the start of `text` names, and what follows it.
struct Opening {
    Environment environment;
    std::string_view body;
};

std::optional<Opening> parse_opening(std::string_view text, std::string_view brand) noexcept
{
    if (!text.starts_with(brand))
        return std::nullopt;
    text.remove_prefix(brand.size());
    constexpr std::string_view live = "_live_", test = "_test_";
    if (text.starts_with(live))
        return Opening{Environment::live, text.substr(live.size())};
    if (text.starts_with(test))
        return Opening{Environment::test, text.substr(test.size())};
    return std::nullopt;
}

void append_number(std::string& out, std::size_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(number >> shift));
}

void append_part(std::string& out, std::string_view part)
{
    append_number(out, part.size());
    out += part;
}

} // namespace

std::string_view to_string(Environment environment) noexcept
{
    return environment == Environment::live ? "live" : "test";
}

std::optional<Environment> parse_environment(std::string_view text) noexcept
{
    if (text == "live")
        return Environment::live;
    if (text == "test")
        return Environment::test;
    return std::nullopt;
}

std::optional<PresentedKey> parse_api_key(std::string_view text, std::string_view brand) noexcept
{
    const auto opening = parse_opening(text, brand);
    if (!opening || opening->body.size() != k_body_length || !is_base62(opening->body))
        return std::nullopt;
    const auto crc = checksum(text.substr(0, text.size() - k_crc_length));
    if (!equal_constant_time(text.substr(text.size() - k_crc_length),
                             std::string_view{crc.data(), crc.size()}))
        return std::nullopt;
    return PresentedKey{*KeyId::parse(opening->body.substr(0, KeyId::k_length)), opening->environment,
                        opening->body.substr(KeyId::k_length, k_secret_length)};
}

bool has_api_key_shape(std::string_view text, std::string_view brand) noexcept
{
    return parse_opening(text, brand).has_value();
}

GeneratedKey generate_api_key(std::string_view brand, Environment environment)
{
    return generate_api_key(brand, environment, *KeyId::parse(random_base62(KeyId::k_length)));
}

GeneratedKey generate_api_key(std::string_view brand, Environment environment, const KeyId& id)
{
    GeneratedKey key;
    key.id = id;
    key.secret = Secret{random_base62(k_secret_length)};
    std::string text;
    text.reserve(brand.size() + 6 +
                 k_body_length); // at once: growing would leave a copy of the secret behind
    text += api_key_prefix(brand, environment, id);
    text += key.secret.reveal();
    const auto crc = checksum(text);
    text.append(crc.data(), crc.size());
    key.last4 = text.substr(text.size() - 4);
    key.text = Secret{std::move(text)};
    return key;
}

std::string api_key_prefix(std::string_view brand, Environment environment, const KeyId& id)
{
    std::string prefix{brand};
    prefix += '_';
    prefix += to_string(environment);
    prefix += '_';
    prefix += id.view();
    return prefix;
}

Sha256 api_key_digest(std::string_view pepper, const TenantId& tenant, const KeyId& id, std::uint32_t version,
                      std::string_view secret)
{
    std::string version_bytes;
    append_number(version_bytes, version);
    std::string message;
    message.reserve(16 + tenant.str().size() + KeyId::k_length + version_bytes.size() + secret.size());
    append_part(message, tenant.str());
    append_part(message, id.view());
    append_part(message, version_bytes);
    append_part(message, secret);
    const Sha256 digest = hmac_sha256(pepper, message);
    wipe(message.data(), message.size());
    return digest;
}

} // namespace gw
