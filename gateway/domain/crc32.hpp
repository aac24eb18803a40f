// The checksum at the end of an API key: CRC-32 as in zlib (reflected polynomial 0xEDB88320), eight bytes a
// step ("slicing by 8"). Strangers make the gateway compute it: it takes a fifth of zlib's time at this
// length.
#pragma once

#include <cstdint>
#include <string_view>

namespace gw {

std::uint32_t crc32(std::string_view bytes) noexcept;

} // namespace gw
