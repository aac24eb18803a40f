// See request_memory.hpp.
#include "request/request_memory.hpp"

namespace gw {

namespace {
constexpr std::size_t k_buffer_bytes = 32 * 1024; // head and body window together, at least
constexpr std::size_t k_body_window = 16 * 1024;  // what a head must leave for the body
} // namespace

RequestMemory::RequestMemory(std::size_t buffer_bytes, std::size_t fields, std::size_t scratch_bytes)
    : capacity(buffer_bytes), buffer(std::make_unique_for_overwrite<char[]>(buffer_bytes)), request_fields(fields),
      response_fields(fields), scratch_capacity(scratch_bytes),
      scratch(std::make_unique_for_overwrite<char[]>(scratch_bytes))
{
}

RequestMemoryPool::RequestMemoryPool(std::size_t head_bytes, std::size_t fields)
    : head_bytes_(head_bytes), fields_(fields)
{
    free_.reserve(1024);
}

std::unique_ptr<RequestMemory> RequestMemoryPool::take()
{
    if (free_.empty()) {
        least_free_ = 0;
        const std::size_t buffer = std::max(k_buffer_bytes, head_bytes_ + k_body_window);
        return std::make_unique<RequestMemory>(buffer, fields_, 2 * head_bytes_);
    }
    std::unique_ptr<RequestMemory> memory = std::move(free_.back());
    free_.pop_back();
    least_free_ = std::min(least_free_, free_.size());
    return memory;
}

void RequestMemoryPool::give_back(std::unique_ptr<RequestMemory> memory) noexcept
{
    if (free_.size() == free_.capacity())
        return; // frees it
    free_.push_back(std::move(memory));
}

void RequestMemoryPool::trim() noexcept
{
    const std::size_t surplus = (least_free_ + 1) / 2;
    free_.resize(free_.size() - std::min(surplus, free_.size()));
    least_free_ = free_.size();
}

} // namespace gw
