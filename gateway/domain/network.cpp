// Addresses and networks as bytes; reading and writing the text is left to inet_pton and inet_ntop.
#include "domain/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gw {
namespace {

constexpr std::array<unsigned char, 12> k_v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::uint8_t k_v4_prefix_bits = 96;
constexpr std::size_t k_longest_address = 45; // an IPv6 address that ends in a dotted quad

bool has_no_bits_after(const std::array<unsigned char, 16>& bytes, unsigned bits) noexcept
{
    for (unsigned i = bits; i < 128; ++i)
        if ((bytes[i / 8] >> (7 - i % 8)) & 1)
            return false;
    return true;
}

} // namespace

std::optional<Address> Address::parse(std::string_view text) noexcept
{
    const bool in_brackets = text.size() >= 2 && text.front() == '[' && text.back() == ']';
    if (in_brackets)
        text = text.substr(1, text.size() - 2);
    if (text.empty() || text.size() > k_longest_address || text.find('\0') != text.npos)
        return std::nullopt;
    char terminated[k_longest_address + 1];
    std::memcpy(terminated, text.data(), text.size());
    terminated[text.size()] = '\0';

    Address address;
    if (text.find(':') != text.npos) {
        if (::inet_pton(AF_INET6, terminated, address.bytes_.data()) != 1)
            return std::nullopt;
        return address;
    }
    in_addr v4{};
    if (in_brackets || ::inet_pton(AF_INET, terminated, &v4) != 1)
        return std::nullopt;
    return from_v4(ntohl(v4.s_addr));
}

Address Address::from_v4(std::uint32_t host_order) noexcept
{
    Address address;
    std::copy(k_v4_prefix.begin(), k_v4_prefix.end(), address.bytes_.begin());
    for (std::size_t i = 0; i < 4; ++i)
        address.bytes_[12 + i] = static_cast<unsigned char>(host_order >> (24 - 8 * i));
    return address;
}

Address Address::from_v6(const std::array<unsigned char, 16>& bytes) noexcept
{
    Address address;
    address.bytes_ = bytes;
    return address;
}

bool Address::is_v4() const noexcept
{
    return std::equal(k_v4_prefix.begin(), k_v4_prefix.end(), bytes_.begin());
}

std::string Address::str() const
{
    std::array<char, k_longest_address + 1> buffer;
    return std::string{write(buffer)};
}

std::string_view Address::write(std::span<char> out) const noexcept
{
    const int family = is_v4() ? AF_INET : AF_INET6;
    const unsigned char* bytes = is_v4() ? bytes_.data() + k_v4_prefix.size() : bytes_.data();
    if (::inet_ntop(family, bytes, out.data(), static_cast<socklen_t>(out.size())) == nullptr)
        return {};
    return {out.data(), std::strlen(out.data())};
}

Address Address::counting_prefix() const noexcept
{
    if (is_v4())
        return *this;
    Address prefix = *this;
    std::fill(prefix.bytes_.begin() + 8, prefix.bytes_.end(), static_cast<unsigned char>(0));
    return prefix;
}

std::optional<Network> Network::parse(std::string_view text) noexcept
{
    const std::size_t slash = text.find('/');
    const std::string_view base_text = text.substr(0, slash);
    const auto base = Address::parse(base_text);
    if (!base || base_text.front() == '[')
        return std::nullopt;
    Network network;
    network.base_ = *base;
    network.prefix_bits_ = 128;
    if (slash == text.npos)
        return network;

    const std::string_view bits_text = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, failure] = std::from_chars(bits_text.data(), bits_text.data() + bits_text.size(), bits);
    if (failure != std::errc{} || end != bits_text.data() + bits_text.size())
        return std::nullopt;
    const bool is_dotted_quad = base_text.find(':') == base_text.npos;
    if ((bits_text.size() > 1 && bits_text.front() == '0') || bits > (is_dotted_quad ? 32u : 128u))
        return std::nullopt;
    if (is_dotted_quad)
        bits += k_v4_prefix_bits;
    if (!has_no_bits_after(base->bytes(), bits))
        return std::nullopt;
    network.prefix_bits_ = static_cast<std::uint8_t>(bits);
    return network;
}

bool Network::contains(const Address& address) const noexcept
{
    // "::/0" means all of IPv6. That IPv4 is held inside the same space is our affair, not the operator's.
    if (address.is_v4() != base_.is_v4())
        return false;
    const std::size_t whole = prefix_bits_ / 8;
    if (std::memcmp(address.bytes().data(), base_.bytes().data(), whole) != 0)
        return false;
    const unsigned rest = prefix_bits_ % 8;
    return rest == 0 || ((address.bytes()[whole] ^ base_.bytes()[whole]) >> (8 - rest)) == 0;
}

std::string Network::str() const
{
    if (prefix_bits_ == 128)
        return base_.str();
    const unsigned bits = base_.is_v4() ? prefix_bits_ - k_v4_prefix_bits : prefix_bits_;
    return base_.str() + "/" + std::to_string(bits);
}

bool any_contains(std::span<const Network> networks, const Address& address) noexcept
{
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.contains(address); });
}

} // namespace gw
