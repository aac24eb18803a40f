// Addresses and CIDR networks as plain bytes: IP allow-lists, trusted proxies, per-address counters.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gw {

// An IPv4 or IPv6 address. IPv4 is held in its v4-mapped form, so that ::ffff:10.0.0.1 and 10.0.0.1 are equal.
class Address {
public:
    Address() noexcept : bytes_{} {}
    // Textual IPv4 (dotted quad only) or IPv6 (optionally in brackets, no zone); empty if neither.
    static std::optional<Address> parse(std::string_view text) noexcept;
    static Address from_v4(std::uint32_t host_order) noexcept;
    static Address from_v6(const std::array<unsigned char, 16>& bytes) noexcept;

    bool is_v4() const noexcept;
    const std::array<unsigned char, 16>& bytes() const noexcept { return bytes_; }
    std::string str() const;
    // Writes str() into `out` (at least 46 bytes) without allocating; the part that was written.
    std::string_view write(std::span<char> out) const noexcept;
    // What strangers are counted by: the address itself for IPv4, its /64 for IPv6.
    Address counting_prefix() const noexcept;

    friend auto operator<=>(const Address&, const Address&) = default;

private:
    std::array<unsigned char, 16> bytes_;
};

// A CIDR network; a bare address is a network of one.
class Network {
public:
    // "10.0.0.0/8", "2001:db8::/32", "192.0.2.1". Empty if malformed or if host bits are set.
    // IPv4 and IPv6 are apart: "::/0" holds no IPv4 address.
    static std::optional<Network> parse(std::string_view text) noexcept;

    bool contains(const Address& address) const noexcept;
    std::string str() const;
    friend auto operator<=>(const Network&, const Network&) = default;

private:
    Address base_;
    std::uint8_t prefix_bits_ = 0; // in the v4-mapped space: 0..128
};

bool any_contains(std::span<const Network> networks, const Address& address) noexcept;

} // namespace gw

template <>
struct std::hash<gw::Address> {
    std::size_t operator()(const gw::Address& a) const noexcept
    {
        std::uint64_t hi = 0, lo = 0;
        __builtin_memcpy(&hi, a.bytes().data(), 8);
        __builtin_memcpy(&lo, a.bytes().data() + 8, 8);
        return (hi ^ (lo * 0x9E3779B97F4A7C15u)) * 0xBF58476D1CE4E5B9u;
    }
};
