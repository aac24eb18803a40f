// The exchange with the upstream: head, both bodies streamed with back-pressure, response.
#pragma once

#include "request/client_side.hpp"
#include "request/exchange.hpp"
#include "request/open_exchanges.hpp"
#include "request/services.hpp"

namespace gw {

// done: the client has the response, or is gone. refused: x.refusal says why; if x.response_begun the
// connection must be cut, so that what was sent does not look complete. Once x.cut is set the exchange ends, with
// that refusal unless the response was whole; `open` is told of the upstream's connection.
//
// A request is sent again, once, on a fresh connection, if the one from the pool failed before a single
// response byte, the method is idempotent (RFC 9110 section 9.2.2) and the body is still in the buffer.
Task<Verdict> forward(Exchange& x, ClientSide& client, UpstreamPool& upstream, OpenExchanges::Entry& open, Services& s);

} // namespace gw
