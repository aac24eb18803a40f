// The buffer an outgoing head is composed into, reused from request to request: no allocation once it has
// grown to the size of the heads that pass.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace gw::http1 {

class HeadBuffer {
public:
    explicit HeadBuffer(std::size_t capacity = 4096)
        : data_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity)
    {
    }

    void clear() noexcept { size_ = 0; }
    // Forgets what follows the first `size` bytes.
    void truncate(std::size_t size) noexcept { size_ = size < size_ ? size : size_; }
    std::string_view view() const noexcept { return {data_.get(), size_}; }
    std::size_t size() const noexcept { return size_; }

    void append(std::string_view text)
    {
        if (size_ + text.size() > capacity_)
            grow(text.size());
        if (!text.empty()) // an empty view's pointer may be null, which memcpy does not allow
            std::memcpy(data_.get() + size_, text.data(), text.size());
        size_ += text.size();
    }
    void append(char c) { append(std::string_view{&c, 1}); }
    void append_number(std::uint64_t value)
    {
        char digits[20];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        append(std::string_view{digits, static_cast<std::size_t>(end - digits)});
    }
    void append_field(std::string_view name, std::string_view value)
    {
        // One check of the room for the whole line: this is what a forwarded head mostly consists of.
        const std::size_t more = name.size() + value.size() + 4;
        if (size_ + more > capacity_)
            grow(more);
        char* to = data_.get() + size_;
        std::memcpy(to, name.data(), name.size());
        to += name.size();
        std::memcpy(to, ": ", 2);
        if (!value.empty())
            std::memcpy(to + 2, value.data(), value.size());
        std::memcpy(to + 2 + value.size(), "\r\n", 2);
        size_ += more;
    }
    // Puts text before what follows position `at`: for a length that is known only after its body.
    void insert(std::size_t at, std::string_view text)
    {
        if (size_ + text.size() > capacity_)
            grow(text.size());
        std::memmove(data_.get() + at + text.size(), data_.get() + at, size_ - at);
        std::memcpy(data_.get() + at, text.data(), text.size());
        size_ += text.size();
    }

private:
    void grow(std::size_t more)
    {
        std::size_t capacity = capacity_ * 2;
        while (capacity < size_ + more)
            capacity *= 2;
        auto bigger = std::make_unique_for_overwrite<char[]>(capacity);
        std::memcpy(bigger.get(), data_.get(), size_);
        data_ = std::move(bigger);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0, capacity_;
};

} // namespace gw::http1
