// Text that must not leak: wiped on destruction and on assignment, not copyable by accident, and
// impossible to print (no stream operator, no implicit conversion). Also the one constant-time comparison.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace gw {

// Overwrites memory in a way the compiler may not remove.
void wipe(void* data, std::size_t size) noexcept;

class Secret {
public:
    Secret() = default;
    // Takes the text over and leaves nothing of it behind in the argument.
    explicit Secret(std::string&& text) noexcept;
    // Copies; wiping the argument is then its owner's affair.
    explicit Secret(const std::string& text) : text_(text) {}
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();

    // The only way to the text; the name is there to be searched for. Valid while this object lives.
    std::string_view reveal() const noexcept { return text_; }
    Secret clone() const { return Secret{text_}; }
    bool empty() const noexcept { return text_.empty(); }

private:
    std::string text_;
};

// True if both have the same size and bytes. Time depends on the size only (CRYPTO_memcmp).
bool equal_constant_time(std::string_view a, std::string_view b) noexcept;
bool equal_constant_time(std::span<const unsigned char> a, std::span<const unsigned char> b) noexcept;

} // namespace gw
