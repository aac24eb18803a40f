// See client_address.hpp.
#include "request/client_address.hpp"

namespace gw {

namespace {

// "192.0.2.1", "[2001:db8::1]", and with a port.
std::optional<Address> parse_hop(std::string_view text) noexcept
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    if (const auto whole = Address::parse(text))
        return whole;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || text.find_first_not_of("0123456789", colon + 1) != std::string_view::npos)
        return {};
    return Address::parse(text.substr(0, colon));
}

} // namespace

Address address_of(const Tcp::endpoint& endpoint) noexcept
{
    if (endpoint.address().is_v4())
        return Address::from_v4(endpoint.address().to_v4().to_uint());
    return Address::from_v6(endpoint.address().to_v6().to_bytes());
}

Address forwarded_client(std::span<const http1::Field> fields, const Address& peer, std::span<const Network> trusted) noexcept
{
    Address nearest = peer;
    for (std::size_t i = fields.size(); i-- > 0;) {
        if (fields[i].id != http1::FieldName::x_forwarded_for)
            continue;
        std::string_view list = fields[i].value;
        while (!list.empty()) {
            const std::size_t comma = list.rfind(',');
            const auto hop = parse_hop(comma == std::string_view::npos ? list : list.substr(comma + 1));
            if (!hop)
                return nearest;
            nearest = *hop;
            if (!any_contains(trusted, nearest))
                return nearest;
            list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
        }
    }
    return nearest;
}

} // namespace gw
