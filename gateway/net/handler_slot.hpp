// Room for one pending Asio operation inside the object that waits for it: the handler's associated allocator
// hands out this slot, so that starting an operation allocates nothing.
#pragma once

#include <cstddef>
#include <new>

namespace gw {

class HandlerSlot {
public:
    HandlerSlot() = default;
    HandlerSlot(const HandlerSlot&) = delete;
    HandlerSlot& operator=(const HandlerSlot&) = delete;

    void* allocate(std::size_t size)
    {
        if (size <= sizeof bytes_ && !used_) {
            used_ = true;
            return bytes_;
        }
        return ::operator new(size);
    }
    void release(void* memory) noexcept
    {
        if (memory == bytes_)
            used_ = false;
        else
            ::operator delete(memory);
    }

private:
    alignas(std::max_align_t) std::byte bytes_[240];
    bool used_ = false;
};

template <class T>
class SlotAllocator {
public:
    using value_type = T;

    explicit SlotAllocator(HandlerSlot& slot) noexcept : slot_(&slot) {}
    template <class U>
    SlotAllocator(const SlotAllocator<U>& other) noexcept : slot_(other.slot())
    {
    }

    T* allocate(std::size_t count) { return static_cast<T*>(slot_->allocate(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t) noexcept { slot_->release(memory); }
    HandlerSlot* slot() const noexcept { return slot_; }
    template <class U>
    bool operator==(const SlotAllocator<U>& other) const noexcept
    {
        return slot_ == other.slot();
    }

private:
    HandlerSlot* slot_;
};

} // namespace gw
