// Sends a refusal to the client, and decides whether the connection can go on after it.
#pragma once

#include "request/client_side.hpp"
#include "request/exchange.hpp"
#include "request/services.hpp"

namespace gw {

// Cuts the connection instead if a response had already begun. A small unread request body is read away so that
// the connection lives on; before a large or unframed one it is closed (RFC 9112 section 9.3).
Task<void> refuse(Exchange& x, ClientSide& client, Services& s);

} // namespace gw
