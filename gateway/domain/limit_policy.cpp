// What makes up a counter's identity.
#include "domain/limit_policy.hpp"

#include "domain/api_key.hpp"

#include <algorithm>

namespace gw {
namespace {

std::uint64_t big_endian(const unsigned char* bytes) noexcept
{
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i)
        value = value << 8 | bytes[i];
    return value;
}

char* put_part(char* out, std::string_view part) noexcept
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *out++ = static_cast<char>(part.size() >> shift);
    return std::copy(part.begin(), part.end(), out);
}

} // namespace

std::string_view to_string(CountedPer per) noexcept
{
    switch (per) {
    case CountedPer::key:
        return "key";
    case CountedPer::owner:
        return "owner";
    case CountedPer::tenant:
        return "tenant";
    case CountedPer::ip:
        return "ip";
    case CountedPer::route:
        return "route";
    }
    return "";
}

Identity128 identity_of(std::initializer_list<std::string_view> parts) noexcept
{
    std::size_t size = 0;
    for (const auto part : parts)
        size += 4 + part.size();
    // Computed on the warm path for addresses: ids are short, so the message nearly always fits on the stack.
    std::array<char, 512> small;
    std::string large;
    char* begin = small.data();
    if (size > small.size()) {
        large.resize(size);
        begin = large.data();
    }
    char* end = begin;
    for (const auto part : parts)
        end = put_part(end, part);
    const Sha256 digest = sha256({begin, size});
    return {big_endian(digest.data()), big_endian(digest.data() + 8)};
}

} // namespace gw
