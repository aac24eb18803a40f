// The connections of one worker to one upstream: kept alive, last used first.
//
// A connection that stays idle gets a read pending at the next sweep. It is the read that will receive the next
// response, and it notices when the upstream closes: such a connection is gone from the pool before anybody can
// be given it. One that is used again before the sweep needs no system call in between.
#pragma once

#include "net/asio.hpp"
#include "net/offload.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "net/worker.hpp"
#include "observe/metrics.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gw {

class UpstreamPool;

// One connection, with the buffer that its bytes arrive in. Owned by its pool; used through an UpstreamLease.
class UpstreamConnection {
public:
    UpstreamConnection(UpstreamPool& pool, std::size_t buffer_bytes);

    Stream& stream() noexcept { return stream_; }

    // Bytes received and not yet consumed. Valid until the next receive().
    std::span<char> unread() noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t bytes) noexcept
    {
        begin_ += bytes;
        if (begin_ == end_ && !read_pending_)
            begin_ = end_ = 0;
    }
    bool has_room() const noexcept { return end_ < capacity_ || begin_ > 0; }

    // Awaits more bytes behind unread() (which may be moved to the buffer's front; views into it end).
    // asio::error::no_buffer_space if the buffer is full of unread bytes.
    class Receive {
    public:
        explicit Receive(UpstreamConnection& connection) noexcept : connection_(connection) {}
        bool await_ready();
        void await_suspend(std::coroutine_handle<> caller) noexcept { connection_.waiting_ = caller; }
        IoResult await_resume() noexcept;

    private:
        UpstreamConnection& connection_;
        bool full_ = false;
    };
    Receive receive() noexcept { return Receive{*this}; }

private:
    friend class UpstreamPool;
    struct Completed;
    struct Turn;
    void start_read();
    void start_read_in_turn();
    void on_read(const boost::system::error_code& ec, std::size_t bytes);

    UpstreamPool& pool_;
    Stream stream_;
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_, begin_ = 0, end_ = 0;
    HandlerSlot read_slot_;
    unsigned cancels_ = 0; // of the stream, when a read was put in turn
    bool read_pending_ = false, result_ready_ = false, idle_ = false, dying_ = false;
    IoResult result_;
    std::coroutine_handle<> waiting_;
};

// A connection in use. Discarded at the end of its life unless it was given back.
class UpstreamLease {
public:
    UpstreamLease() = default;
    UpstreamLease(UpstreamPool& pool, UpstreamConnection* connection, bool reused) noexcept
        : pool_(&pool), connection_(connection), reused_(reused)
    {
    }
    UpstreamLease(UpstreamLease&& other) noexcept
        : pool_(other.pool_), connection_(std::exchange(other.connection_, nullptr)), reused_(other.reused_)
    {
    }
    UpstreamLease& operator=(UpstreamLease&& other) noexcept;
    ~UpstreamLease() { discard(); }

    explicit operator bool() const noexcept { return connection_ != nullptr; }
    UpstreamConnection* operator->() const noexcept { return connection_; }
    UpstreamConnection& operator*() const noexcept { return *connection_; }
    bool was_reused() const noexcept { return reused_; } // it had served a request before
    void give_back() noexcept;                           // fit for another request
    void discard() noexcept;                             // closes it

private:
    UpstreamPool* pool_ = nullptr;
    UpstreamConnection* connection_ = nullptr;
    bool reused_ = false;
};

class UpstreamPool {
public:
    struct Options {
        std::string name;
        std::string host; // an IP literal or a name, resolved on use and remembered for 30 s
        std::uint16_t port = 80;
        std::string authority; // what stands in the Host field of a request that has none of its own
        std::chrono::milliseconds connect{1000}, first_byte{30000}, idle{30000};
        std::chrono::milliseconds keep_alive{60000};
        std::size_t max_idle = 64;
        std::size_t buffer_bytes = 32 * 1024;
    };

    // References must outlive the pool; the pool must be closed and drained before it is destroyed.
    UpstreamPool(Options options, Worker& worker, BlockingPool& resolver, WorkerMetrics& metrics);
    ~UpstreamPool();
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    // An idle connection, or an empty lease. No system call.
    UpstreamLease take_idle() noexcept;
    struct Connected {
        boost::system::error_code ec; // timed_out when the connect time ran out
        UpstreamLease lease;
    };
    Task<Connected> connect();

    // Sees to it that idle connections notice their end. Called on each sweep.
    void watch_idle();
    // Closes idle connections and keeps no more. on_sweep-safe.
    void close();
    const Options& options() const noexcept { return options_; }

private:
    friend class UpstreamConnection;
    friend class UpstreamLease;
    Task<boost::system::error_code> resolve();
    void give_back(UpstreamConnection* connection);
    void discard(UpstreamConnection* connection) noexcept;
    void forget_idle(UpstreamConnection* connection) noexcept;

    Options options_;
    Worker& worker_;
    BlockingPool& resolver_;
    WorkerMetrics& metrics_;
    std::vector<UpstreamConnection*> idle_; // owned
    std::vector<Tcp::endpoint> endpoints_;
    SteadyTime resolved_until_{};
    std::size_t next_endpoint_ = 0;
    bool closed_ = false;
};

} // namespace gw
