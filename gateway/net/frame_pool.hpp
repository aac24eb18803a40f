// Memory for coroutine frames, recycled per thread, so that a warm request allocates none. Frames come in a few
// sizes and die on the thread that made them (a session never changes thread), which makes this a plain free
// list per size class. Under the address sanitizer it steps aside, so that a use after free is seen.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace gw {

class FramePool {
public:
    static void* allocate(std::size_t size);
    static void release(void* frame, std::size_t size) noexcept;

private:
    static constexpr std::size_t k_step = 128;       // bytes between size classes
    static constexpr std::size_t k_classes = 48;     // up to 6 KiB; larger frames go to the heap
    static constexpr std::size_t k_kept = 256;       // free frames kept per class

    struct Free {
        Free* next;
    };
    struct Lists {
        std::array<Free*, k_classes> heads{};
        std::array<std::size_t, k_classes> counts{};
        ~Lists();
    };
    static thread_local Lists lists_;
};

} // namespace gw
