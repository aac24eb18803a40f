// CRC-32 by table: row k holds the effect of a byte that k more bytes follow.
#include "domain/crc32.hpp"

#include <array>
#include <cstddef>

namespace gw {
namespace {

using Rows = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Rows make_rows() noexcept
{
    Rows rows{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
        rows[0][byte] = crc;
    }
    for (std::size_t k = 1; k < rows.size(); ++k)
        for (std::size_t byte = 0; byte < 256; ++byte)
            rows[k][byte] = (rows[k - 1][byte] >> 8) ^ rows[0][rows[k - 1][byte] & 255];
    return rows;
}

constexpr Rows k_rows = make_rows();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) noexcept
{
    return static_cast<unsigned char>(bytes[i]);
}

} // namespace

std::uint32_t crc32(std::string_view bytes) noexcept
{
    std::uint32_t crc = ~0u;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        crc = k_rows[7][(crc & 255) ^ byte_at(bytes, 0)] ^ k_rows[6][(crc >> 8 & 255) ^ byte_at(bytes, 1)] ^
              k_rows[5][(crc >> 16 & 255) ^ byte_at(bytes, 2)] ^ k_rows[4][(crc >> 24) ^ byte_at(bytes, 3)] ^
              k_rows[3][byte_at(bytes, 4)] ^ k_rows[2][byte_at(bytes, 5)] ^ k_rows[1][byte_at(bytes, 6)] ^
              k_rows[0][byte_at(bytes, 7)];
    }
    for (std::size_t i = 0; i < bytes.size(); ++i)
        crc = (crc >> 8) ^ k_rows[0][(crc & 255) ^ byte_at(bytes, i)];
    return ~crc;
}

} // namespace gw
