// The life of one request. Nothing else lists the stages.
#pragma once

#include "request/client_side.hpp"
#include "request/exchange.hpp"
#include "request/services.hpp"

namespace gw {

// `x` has its head parsed and its target normalised, or `x.refusal` set by the session because it could not be.
// Answers the client in every case but a lost connection, and accounts for every outcome exactly once.
Task<void> handle(Exchange& x, ClientSide& client, Services& s);

// The stages from memory: the common case, no coroutine, no allocation. admitted, refused or ask_the_stores.
Verdict decide(Exchange& x, RequestMemory& memory, Services& s);

} // namespace gw
