// The allocator of this test program: glibc's own, with a count of what the gateway's workers ask of it.
#include "measured/counted_malloc.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

#include <sys/prctl.h>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace gw {

namespace {

std::atomic<bool> counting{false};
std::atomic<std::uint64_t> allocations{0};

// Workers name their threads; see net/worker.cpp.
void count() noexcept
{
    if (!counting.load(std::memory_order_relaxed))
        return;
    char name[16] = {};
    ::prctl(PR_GET_NAME, name);
    if (std::strncmp(name, "gw-worker-", 10) == 0)
        allocations.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

void count_worker_allocations(bool on) noexcept
{
    counting.store(on);
}

std::uint64_t worker_allocations() noexcept
{
    return allocations.load();
}

} // namespace gw

extern "C" {

void* malloc(std::size_t size)
{
    gw::count();
    return __libc_malloc(size);
}

void* calloc(std::size_t n, std::size_t size)
{
    gw::count();
    return __libc_calloc(n, size);
}

void* realloc(void* old, std::size_t size)
{
    gw::count();
    return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size)
{
    gw::count();
    return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size)
{
    gw::count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size)
{
    gw::count();
    *out = __libc_memalign(alignment, size);
    return *out != nullptr ? 0 : ENOMEM;
}

} // extern "C"
