// See listener.hpp.
#include "net/listener.hpp"

#include "net/handler_slot.hpp"
#include "net/sleep.hpp"
#include "observe/log.hpp"

#include <boost/asio/ip/v6_only.hpp>

namespace gw {

namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::string text_of(const Tcp::endpoint& endpoint)
{
    const std::string host = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

// Opens and binds; if it is shared with other sockets that ask for the same, it listens too.
void bind_to(Acceptor& acceptor, const Tcp::endpoint& address, bool is_shared)
{
    try {
        acceptor.open(address.protocol());
        acceptor.set_option(Acceptor::reuse_address(true));
        acceptor.set_option(ReusePort(is_shared));
        if (address.protocol() == Tcp::v6())
            acceptor.set_option(asio::ip::v6_only(true));
        acceptor.bind(address);
        if (is_shared)
            acceptor.listen(4096);
    } catch (const boost::system::system_error& e) {
        throw boost::system::system_error(e.code(), "cannot listen on " + text_of(address));
    }
}

} // namespace

class Listener::Accept {
public:
    Accept(Acceptor& acceptor, Socket& socket, Tcp::endpoint& peer) noexcept
        : acceptor_(acceptor), socket_(socket), peer_(peer)
    {
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller)
    {
        caller_ = caller;
        acceptor_.async_accept(socket_, peer_, Completed{this});
    }
    boost::system::error_code await_resume() const noexcept { return ec_; }

private:
    struct Completed {
        using allocator_type = SlotAllocator<char>;
        Accept* accept;
        allocator_type get_allocator() const noexcept { return allocator_type{accept->slot_}; }
        void operator()(const boost::system::error_code& ec) const
        {
            accept->ec_ = ec;
            accept->caller_.resume();
        }
    };
    Acceptor& acceptor_;
    Socket& socket_;
    Tcp::endpoint& peer_;
    std::coroutine_handle<> caller_;
    boost::system::error_code ec_;
    HandlerSlot slot_;
};

Listener::Listener(Worker& worker, const Tcp::endpoint& address, OnConnection on_connection)
    : worker_(worker), acceptor_(worker.executor()), on_connection_(std::move(on_connection))
{
    bind_to(acceptor_, address, true);
}

void Listener::require_unused(const Tcp::endpoint& address)
{
    asio::io_context unused;
    Acceptor probe{unused};
    bind_to(probe, address, false);
}

void Listener::serve(Socket socket, const Tcp::endpoint& peer)
{
    boost::system::error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    worker_.tasks().spawn(on_connection_(std::move(socket), peer));
}

Task<void> Listener::accept_loop()
{
    while (!stopping_) {
        Socket socket{worker_.executor()};
        Tcp::endpoint peer;
        const boost::system::error_code ec = co_await Accept{acceptor_, socket, peer};
        if (!ec) {
            serve(std::move(socket), peer);
            continue;
        }
        if (stopping_ || ec == asio::error::operation_aborted)
            break;
        if (ec == asio::error::connection_aborted)
            continue;
        // Out of descriptors or memory: say so and let connections end before trying again.
        log(LogLevel::error, "listener.accept_failed", {{"error", ec.message()}});
        co_await SleepFor{worker_.executor(), std::chrono::milliseconds{50}};
    }
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

void Listener::stop()
{
    if (std::exchange(stopping_, true) || !acceptor_.is_open())
        return;
    boost::system::error_code ec;
    acceptor_.non_blocking(true, ec);
    while (!ec) {
        Socket socket{worker_.executor()};
        Tcp::endpoint peer;
        acceptor_.accept(socket, peer, ec);
        if (!ec)
            serve(std::move(socket), peer);
    }
    acceptor_.cancel(ec);
}

} // namespace gw
