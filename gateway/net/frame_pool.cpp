// See frame_pool.hpp.
#include "net/frame_pool.hpp"

namespace gw {

thread_local FramePool::Lists FramePool::lists_;

#if defined(__SANITIZE_ADDRESS__)

void* FramePool::allocate(std::size_t size)
{
    return ::operator new(size);
}

void FramePool::release(void* frame, std::size_t) noexcept
{
    ::operator delete(frame);
}

#else

void* FramePool::allocate(std::size_t size)
{
    const std::size_t index = (size + k_step - 1) / k_step - 1;
    if (index >= k_classes)
        return ::operator new(size);
    if (Free* head = lists_.heads[index]) {
        lists_.heads[index] = head->next;
        --lists_.counts[index];
        return head;
    }
    return ::operator new((index + 1) * k_step);
}

void FramePool::release(void* frame, std::size_t size) noexcept
{
    const std::size_t index = (size + k_step - 1) / k_step - 1;
    if (index >= k_classes || lists_.counts[index] >= k_kept) {
        ::operator delete(frame);
        return;
    }
    lists_.heads[index] = new (frame) Free{lists_.heads[index]};
    ++lists_.counts[index];
}

#endif

FramePool::Lists::~Lists()
{
    for (Free* head : heads) {
        while (head != nullptr) {
            Free* next = head->next;
            ::operator delete(head);
            head = next;
        }
    }
}

} // namespace gw
