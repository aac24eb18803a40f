// One connected byte stream of the data path: a plain socket today, TLS beside it later, behind the same two
// operations. Reading and writing may overlap (one of each at a time); both are awaited by Tasks and allocate
// nothing. Used by one thread, that of the io_context.
//
// Each direction has a deadline that the worker's sweep enforces: when it passes, the pending operation ends
// with operation_aborted and timed_out() tells which direction it was.
#pragma once

#include "net/asio.hpp"
#include "net/deadline.hpp"
#include "net/handler_slot.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <coroutine>
#include <span>

#include <sys/uio.h>

namespace gw {

struct IoResult {
    boost::system::error_code ec;
    std::size_t bytes = 0;
};

constexpr SteadyTime k_never = SteadyTime::max();

class Stream final : public Timed {
public:
    // The list must outlive the stream.
    Stream(Socket socket, DeadlineList& deadlines) noexcept : socket_(std::move(socket)) { deadlines.add(*this); }

    class ReadSome {
    public:
        ReadSome(Stream& stream, std::span<char> into, bool patient) noexcept
            : stream_(stream), into_(into), patient_(patient)
        {
        }
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> caller);
        IoResult await_resume() const noexcept { return result_; }

    private:
        struct Completed;
        struct Turn;
        void start();

        Stream& stream_;
        std::span<char> into_;
        bool patient_;
        unsigned cancels_ = 0; // of the stream, when the await began
        std::coroutine_handle<> caller_;
        IoResult result_;
        HandlerSlot slot_;
    };
    // At least one byte, or an error (asio::error::eof at the end).
    ReadSome read_some(std::span<char> into) noexcept { return ReadSome{*this, into, false}; }
    // The same for a peer whose turn has only just come: lets everything else that is ready go first, so that the
    // first attempt rarely finds nothing, which would cost a system call.
    ReadSome read_next(std::span<char> into) noexcept { return ReadSome{*this, into, true}; }

    // Sends all parts, or fails; `bytes` is how many went out. `parts` is used up (its entries are advanced)
    // and must outlive the await. Tries at once and waits only when the socket is full; while it waits, the
    // write deadline is `idle` from the last progress.
    class WriteAll {
    public:
        WriteAll(Stream& stream, std::span<iovec> parts, std::chrono::milliseconds idle) noexcept
            : stream_(stream), parts_(parts), idle_(idle)
        {
        }
        bool await_ready() noexcept { return attempt(); }
        void await_suspend(std::coroutine_handle<> caller)
        {
            caller_ = caller;
            wait();
        }
        IoResult await_resume() const noexcept { return result_; }

    private:
        struct Completed;
        bool attempt() noexcept; // true when done or failed
        void wait();

        Stream& stream_;
        std::span<iovec> parts_;
        std::chrono::milliseconds idle_;
        std::coroutine_handle<> caller_;
        IoResult result_;
        HandlerSlot slot_;
    };
    WriteAll write_all(std::span<iovec> parts, std::chrono::milliseconds idle) noexcept
    {
        return WriteAll{*this, parts, idle};
    }

    // Opens a connection; the read deadline applies.
    class Connect {
    public:
        Connect(Stream& stream, const Tcp::endpoint& to) noexcept : stream_(stream), to_(to) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> caller);
        boost::system::error_code await_resume() const noexcept { return ec_; }

    private:
        struct Completed;
        Stream& stream_;
        Tcp::endpoint to_;
        std::coroutine_handle<> caller_;
        boost::system::error_code ec_;
        HandlerSlot slot_;
    };
    Connect connect(const Tcp::endpoint& to) noexcept { return Connect{*this, to}; }

    void read_by(SteadyTime deadline) noexcept { read_deadline_ = deadline; }
    bool read_timed_out() const noexcept { return read_timed_out_; }
    bool write_timed_out() const noexcept { return write_timed_out_; }

    // What can be had without waiting; 0 if nothing, or the connection ended.
    std::size_t read_now(std::span<char> into) noexcept;
    // True if there is nothing to read and the peer has not closed: one system call.
    bool is_quiet() noexcept;
    // Makes the peer see a reset instead of an orderly end.
    void abort() noexcept;
    // Ends the pending operations with operation_aborted.
    void cancel() noexcept;
    // How often that has happened: an operation that is about to start looks whether it came too late.
    unsigned cancels() const noexcept { return cancels_; }
    // Sends FIN and leaves reading open.
    void shutdown_send() noexcept;
    void close() noexcept;
    bool is_open() const noexcept { return socket_.is_open(); }
    Socket& socket() noexcept { return socket_; }

    void on_sweep(SteadyTime now) noexcept override;

private:
    Socket socket_;
    SteadyTime read_deadline_ = k_never, write_deadline_ = k_never;
    bool read_timed_out_ = false, write_timed_out_ = false;
    unsigned cancels_ = 0;
};

} // namespace gw
