// The way back: the response's head rewritten, its body streamed to the client as fast as the client reads.
#pragma once

#include "net/upstream_pool.hpp"
#include "request/client_side.hpp"
#include "request/exchange.hpp"
#include "request/services.hpp"

namespace gw {

// Sends head and body. `done`, also when the client left (x.client_gone); `refused` with x.response_begun when
// the upstream broke off or broke framing in the middle. memory.response_body tells whether the body is whole.
Task<Verdict> relay_response(Exchange& x, ClientSide& client, UpstreamConnection& upstream,
                             const http1::ResponseHead& response, Services& s, std::chrono::milliseconds upstream_idle);

// Passes on an interim response (103 and the like; HTTP/1.1 clients only). False if the client is gone.
Task<bool> relay_interim(Exchange& x, ClientSide& client, const http1::ResponseHead& response, Services& s);

} // namespace gw
