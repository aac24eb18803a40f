// Where in a request its API key stands: an Authorization field, a named header, a query parameter or a cookie,
// as the route allows. Also takes it out of queries and cookies, so that it does not travel on.
#pragma once

#include "request/exchange.hpp"
#include "request/request_memory.hpp"

#include <string_view>

namespace gw {

struct FoundCredential {
    std::string_view text;         // empty: none
    http1::Field* field = nullptr; // the field to leave out when forwarding; empty for queries and cookies
    bool ambiguous = false;        // two keys of ours, or one field twice
};

// Looks in the places that the route names. A bearer token that is not of our shape beside a key elsewhere is
// the upstream's own and stays. On routes without authentication a key of ours is found all the same, so that
// it can be stripped. Where the route strips credentials, a query or cookie is rewritten in memory's scratch.
FoundCredential find_credential(Exchange& x, RequestMemory& memory, std::string_view brand);

} // namespace gw
