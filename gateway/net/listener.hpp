// Accepts connections for one worker. Every worker listens on the same address with SO_REUSEPORT, so the kernel
// spreads connections and no thread hands sockets to another.
#pragma once

#include "net/asio.hpp"
#include "net/task.hpp"
#include "net/worker.hpp"

#include <functional>

namespace gw {

class Listener {
public:
    using OnConnection = std::function<Task<void>(Socket, Tcp::endpoint)>;

    // Throws boost::system::system_error naming the address if somebody listens there already. Sharing a port is
    // for the workers of one process: another gateway on it would silently be sent half of the connections.
    static void require_unused(const Tcp::endpoint& address);

    // Binds and listens; throws boost::system::system_error naming the address. Port 0 takes a free one.
    Listener(Worker& worker, const Tcp::endpoint& address, OnConnection on_connection);

    Tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }
    // On the worker's thread: starts accepting.
    void start() { worker_.tasks().spawn(accept_loop()); }
    // On the worker's thread: takes what the kernel has already completed, then closes. Nobody who was
    // connected is turned away.
    void stop();

private:
    class Accept;
    Task<void> accept_loop();
    void serve(Socket socket, const Tcp::endpoint& peer);

    Worker& worker_;
    Acceptor acceptor_;
    OnConnection on_connection_;
    bool stopping_ = false;
};

} // namespace gw
