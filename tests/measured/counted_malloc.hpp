// Counts malloc, calloc, realloc, memalign, aligned_alloc and posix_memalign (operator new comes down to the
// first) on the gateway's worker threads.
#pragma once

#include <cstdint>

namespace gw {

void count_worker_allocations(bool on) noexcept;
std::uint64_t worker_allocations() noexcept;

} // namespace gw
