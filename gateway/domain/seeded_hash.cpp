#include "domain/seeded_hash.hpp"

#include <random>

namespace gw {

namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept
{
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

} // namespace

std::size_t SeededHash::operator()(const CounterId& id) const noexcept
{
    const std::uint64_t policy = fold(id.policy.high ^ seed, id.policy.low ^ 0x9E3779B97F4A7C15u);
    const std::uint64_t partition = fold(id.partition.high ^ policy, id.partition.low ^ seed ^ 0xC2B2AE3D27D4EB4Fu);
    return fold(partition ^ seed, 0xBF58476D1CE4E5B9u);
}

SeededHash SeededHash::random()
{
    std::random_device device;
    return {(std::uint64_t{device()} << 32) | device()};
}

} // namespace gw
