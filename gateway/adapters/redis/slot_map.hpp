// Which slot of a cluster a key is in, and what the cluster says of who serves which. No sockets.
#pragma once

#include "adapters/redis/options.hpp"
#include "adapters/redis/reply.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gw::redis {

constexpr std::size_t k_cluster_slots = 16384;

// CRC-16 (XMODEM) of the key's hash tag, the text between the first `{` and the next `}` if there is any, or
// else of the whole key.
std::uint16_t slot_of(std::string_view key) noexcept;

struct SlotRange {
    std::uint16_t first = 0, last = 0;
    Server primary;
};
// From the answer to CLUSTER SLOTS. A primary without an address is at `asked`. Empty if it is no such
// answer.
std::optional<std::vector<SlotRange>> slot_ranges_in(const Reply& reply, const Server& asked);

struct Redirection {
    enum class Kind : std::uint8_t { moved, ask } kind = Kind::moved;
    std::uint16_t slot = 0;
    Server to;
};
// From "MOVED 3999 127.0.0.1:6381" or "ASK ...". Empty if it is neither.
std::optional<Redirection> redirection_in(std::string_view error, const Server& asked);

} // namespace gw::redis
