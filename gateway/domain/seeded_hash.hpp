// Hashes counters in tables that strangers can fill: seeded, so that nobody can choose identities that share a chain.
#pragma once

#include "domain/limit_policy.hpp"

#include <cstddef>
#include <cstdint>

namespace gw {

struct SeededHash {
    std::uint64_t seed = 0;
    std::size_t operator()(const CounterId& id) const noexcept;

    // With a seed of the operating system's.
    static SeededHash random();
};

} // namespace gw
