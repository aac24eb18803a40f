// See slot_map.hpp.
#include "adapters/redis/slot_map.hpp"

#include <array>
#include <charconv>

namespace gw::redis {
namespace {

constexpr std::array<std::uint16_t, 256> make_crc_table()
{
    std::array<std::uint16_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
        std::uint32_t crc = byte << 8;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc & 0x8000u) != 0 ? crc << 1 ^ 0x1021u : crc << 1;
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr auto k_crc_table = make_crc_table();

template <class Number>
bool parse(std::string_view text, Number& number)
{
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc{} && end == text.data() + text.size();
}

// A server that does not know its own address leaves it empty (or "?"): it is where we have asked.
Server at(std::string_view host, std::uint16_t port, const Server& asked)
{
    Server server;
    server.host = host.empty() || host == "?" ? asked.host : std::string{host};
    server.port = port;
    return server;
}

} // namespace

std::uint16_t slot_of(std::string_view key) noexcept
{
    if (const auto open = key.find('{'); open != std::string_view::npos) {
        const auto close = key.find('}', open + 1);
        if (close != std::string_view::npos && close != open + 1)
            key = key.substr(open + 1, close - open - 1);
    }
    std::uint32_t crc = 0;
    for (const char c : key)
        crc = (crc << 8 & 0xFFFFu) ^ k_crc_table[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xFFu];
    return static_cast<std::uint16_t>(crc % k_cluster_slots);
}

std::optional<std::vector<SlotRange>> slot_ranges_in(const Reply& reply, const Server& asked)
{
    if (reply.kind != Reply::Kind::array)
        return std::nullopt;
    std::vector<SlotRange> ranges;
    for (const Reply& entry : reply.items) {
        // [first, last, [host, port, id, ...] of the primary, and the same of its replicas]
        if (entry.items.size() < 3 || entry.items[2].items.size() < 2)
            return std::nullopt;
        const std::int64_t first = entry.items[0].integer, last = entry.items[1].integer;
        const std::int64_t port = entry.items[2].items[1].integer;
        if (first < 0 || last < first || last >= static_cast<std::int64_t>(k_cluster_slots) || port <= 0 ||
            port > 65535)
            return std::nullopt;
        SlotRange range;
        range.first = static_cast<std::uint16_t>(first);
        range.last = static_cast<std::uint16_t>(last);
        range.primary = at(entry.items[2].items[0].text, static_cast<std::uint16_t>(port), asked);
        ranges.push_back(std::move(range));
    }
    return ranges;
}

std::optional<Redirection> redirection_in(std::string_view error, const Server& asked)
{
    Redirection redirection;
    if (error.starts_with("MOVED "))
        redirection.kind = Redirection::Kind::moved;
    else if (error.starts_with("ASK "))
        redirection.kind = Redirection::Kind::ask;
    else
        return std::nullopt;
    error.remove_prefix(error.find(' ') + 1);
    const auto space = error.find(' '), colon = error.rfind(':');
    std::uint16_t port = 0;
    if (space == std::string_view::npos || colon == std::string_view::npos || colon < space ||
        !parse(error.substr(0, space), redirection.slot) || redirection.slot >= k_cluster_slots ||
        !parse(error.substr(colon + 1), port) || port == 0)
        return std::nullopt;
    redirection.to = at(error.substr(space + 1, colon - space - 1), port, asked);
    return redirection;
}

} // namespace gw::redis
