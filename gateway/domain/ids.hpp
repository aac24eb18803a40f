// The names of things, as distinct types. Each is checked once, where it enters, by `parse`.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gw {

// A key's public id: 16 characters of base62. No allocation, cheap to copy and to hash.
class KeyId {
public:
    static constexpr std::size_t k_length = 16;

    KeyId() noexcept { text_.fill('0'); }
    // Empty unless `text` is 16 characters of [0-9A-Za-z].
    static std::optional<KeyId> parse(std::string_view text) noexcept;

    std::string_view view() const noexcept { return {text_.data(), text_.size()}; }
    std::string str() const { return std::string{view()}; }
    friend auto operator<=>(const KeyId&, const KeyId&) = default;

private:
    std::array<char, k_length> text_;
};

// A tenant: `[a-z0-9-]{1,32}`.
class TenantId {
public:
    TenantId() = default;
    static std::optional<TenantId> parse(std::string_view text);

    const std::string& str() const noexcept { return text_; }
    friend auto operator<=>(const TenantId&, const TenantId&) = default;

private:
    std::string text_;
};

// The owner of a key, a user or a service: `[A-Za-z0-9._@-]{1,64}`.
class OwnerId {
public:
    OwnerId() = default;
    static std::optional<OwnerId> parse(std::string_view text);

    const std::string& str() const noexcept { return text_; }
    friend auto operator<=>(const OwnerId&, const OwnerId&) = default;

private:
    std::string text_;
};

} // namespace gw

template <>
struct std::hash<gw::KeyId> {
    std::size_t operator()(const gw::KeyId& id) const noexcept
    {
        std::uint64_t a = 0, b = 0;
        std::memcpy(&a, id.view().data(), 8);
        std::memcpy(&b, id.view().data() + 8, 8);
        return (a ^ (b * 0x9E3779B97F4A7C15u)) * 0xBF58476D1CE4E5B9u;
    }
};

template <>
struct std::hash<gw::TenantId> {
    std::size_t operator()(const gw::TenantId& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};
