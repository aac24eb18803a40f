// One client connection: read a head, handle() it, keep alive or close.
#pragma once

#include "net/asio.hpp"
#include "net/task.hpp"
#include "request/services.hpp"

namespace gw {

// Runs until the client or a deadline ends the connection. Requests are handled one after another, so pipelined
// ones are answered in order. `s` must outlive the session.
Task<void> serve_connection(Socket socket, Tcp::endpoint peer, Services& s);

} // namespace gw
