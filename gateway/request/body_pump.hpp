// Streams the rest of a request body upstream, beside the wait for the response.
#pragma once

#include "net/upstream_pool.hpp"
#include "request/client_side.hpp"
#include "request/exchange.hpp"
#include "request/services.hpp"

namespace gw {

enum class PumpEnd : std::uint8_t {
    done,
    client_gone,    // or cancelled
    client_timeout, // no byte within the body's idle time
    client_broken,  // framing
    too_large,
    upstream_gone,  // it does not take any more: it may have answered already
};

// Reads nothing ahead of what the upstream takes: one buffer is all that is ever in flight. When the client is
// at fault, the upstream's pending read is cancelled so that whoever waits for the response hears of it.
Task<PumpEnd> pump_request_body(Exchange& x, ClientSide& client, UpstreamConnection& upstream, Services& s,
                                std::chrono::milliseconds upstream_idle, std::chrono::milliseconds first_byte);

} // namespace gw
