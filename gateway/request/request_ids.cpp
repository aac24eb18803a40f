// See request_ids.hpp. The generator is xoroshiro128+ (Blackman, Vigna: Scrambled linear pseudorandom number
// generators, 2018).
#include "request/request_ids.hpp"

#include "domain/api_key.hpp"

#include <bit>

namespace gw {

namespace {

void write_hex(char* out, std::uint64_t value) noexcept
{
    static constexpr char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; --i) {
        out[i] = digits[value & 15];
        value >>= 4;
    }
}

} // namespace

RequestIds::RequestIds()
{
    std::array<unsigned char, 16> seed;
    random_bytes(seed);
    std::uint64_t words[2];
    __builtin_memcpy(words, seed.data(), sizeof words);
    state_ = {words[0] | 1, words[1]}; // never all zero
}

std::uint64_t RequestIds::next() noexcept
{
    const std::uint64_t a = state_[0];
    std::uint64_t b = state_[1];
    const std::uint64_t sum = a + b;
    b ^= a;
    state_ = {std::rotl(a, 24) ^ b ^ (b << 16), std::rotl(b, 37)};
    return sum;
}

std::string_view RequestIds::next_id(std::span<char, 32> out) noexcept
{
    write_hex(out.data(), next());
    write_hex(out.data() + 16, next());
    return {out.data(), out.size()};
}

std::string_view RequestIds::next_traceparent(std::span<char, 55> out) noexcept
{
    __builtin_memcpy(out.data(), "00-", 3);
    write_hex(out.data() + 3, next());
    write_hex(out.data() + 19, next() | 1);
    out[35] = '-';
    write_hex(out.data() + 36, next() | 1);
    __builtin_memcpy(out.data() + 52, "-01", 3);
    return {out.data(), out.size()};
}

} // namespace gw
