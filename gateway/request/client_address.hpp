// Who is asking: the peer's address, or what trusted proxies say about it.
#pragma once

#include "domain/network.hpp"
#include "http1/head.hpp"
#include "net/asio.hpp"

#include <span>

namespace gw {

Address address_of(const Tcp::endpoint& endpoint) noexcept;

// For a trusted peer: the rightmost address in its X-Forwarded-For fields that is not itself a trusted proxy;
// the leftmost if all are; the peer if there is none, or as soon as one is not an address.
Address forwarded_client(std::span<const http1::Field> fields, const Address& peer, std::span<const Network> trusted) noexcept;

} // namespace gw
