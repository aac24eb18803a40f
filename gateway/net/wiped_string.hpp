// Text and buffers that are overwritten when their memory is given back, also on the way while they grow: for what
// crosses the wire and may be a credential. (domain/secret.hpp's Secret is what the layers above hold.)
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <openssl/crypto.h>

namespace gw {

template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    template <class U>
    WipingAllocator(const WipingAllocator<U>&) noexcept
    {
    }

    T* allocate(std::size_t count) { return std::allocator<T>{}.allocate(count); }
    void deallocate(T* memory, std::size_t count) noexcept
    {
        OPENSSL_cleanse(memory, count * sizeof(T));
        std::allocator<T>{}.deallocate(memory, count);
    }
    friend bool operator==(const WipingAllocator&, const WipingAllocator&) noexcept { return true; }
};

// What is shorter than 16 bytes lies inside the object itself and is not wiped.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

} // namespace gw
