// Times a small operation: batches of it, the median over many batches, so that a busy machine disturbs little.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace gw::bench {

// Keeps the compiler from dropping what computes `value`.
template <class T>
inline void keep(const T& value)
{
    asm volatile("" : : "g"(&value) : "memory");
}

// Prints "<name>: <median> ns/op (best <best>)". `operation` is called with a running number.
template <class Operation>
void time_operation(const char* name, Operation operation)
{
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t k_batch = 2000, k_batches = 501, k_warm_up = 50;
    std::vector<double> nanoseconds;
    std::size_t n = 0;
    for (std::size_t batch = 0; batch < k_batches + k_warm_up; ++batch) {
        const auto start = Clock::now();
        for (std::size_t i = 0; i < k_batch; ++i)
            operation(n++);
        const std::chrono::duration<double, std::nano> took = Clock::now() - start;
        if (batch >= k_warm_up)
            nanoseconds.push_back(took.count() / k_batch);
    }
    std::sort(nanoseconds.begin(), nanoseconds.end());
    std::printf("%-44s %8.1f ns/op (best %.1f)\n", name, nanoseconds[nanoseconds.size() / 2], nanoseconds.front());
}

// Ends the program if what is to be timed does not do its work.
inline void require(bool holds, const char* what)
{
    if (holds)
        return;
    std::fprintf(stderr, "the benchmark is broken: %s\n", what);
    std::exit(1);
}

} // namespace gw::bench
