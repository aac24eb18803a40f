// One established connection, from its first byte to its end; after it comes another Link. Moves bytes: all
// commands of one turn of the event loop leave in one write, and answers find their command by their order.
//
// A command that was not answered in time leaves its slot empty; the connection goes on, since its answer
// will come in its place and be thrown away. Dropping the connection instead would be right too, but a pause
// of a server that is just longer than the deadline (a fork, a slow script) would then cost every node a new
// connection, with TLS and AUTH, at the moment when the server has least time for them. A connection on which
// nothing at all has come for a second or so, though something is waited for, is dropped.
#pragma once

#include "adapters/redis/client.hpp"
#include "adapters/redis/protocol.hpp"
#include "adapters/redis/reply_slots.hpp"
#include "adapters/redis/transport.hpp"
#include "net/handler_slot.hpp"
#include "net/stream.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <string>

namespace gw::redis {

// What happens on a link. Called from the event loop; may close the link.
class LinkOwner {
public:
    virtual void on_answer(Pending& pending, Reply&& reply) = 0;
    // Not answered within its deadline; its slot stays behind.
    virtual void on_overdue(Pending& pending) = 0;
    // The link has ended; its commands are answered afterwards. `why` is for the log.
    virtual void on_end(const std::string& why) = 0;

protected:
    ~LinkOwner() = default;
};

class Link final : public Waiting, public boost::intrusive_ref_counter<Link, boost::thread_unsafe_counter> {
public:
    // Counted without atomics: by the owner and every operation in flight. One thread.
    using Ptr = boost::intrusive_ptr<Link>;

    // `figures` must outlive the link or its close(). After `silence` the link ends.
    Link(Executor executor, asio::ssl::context* tls, std::size_t max_reply_bytes,
         std::chrono::milliseconds silence, Figures& figures)
        : transport_(std::move(executor), tls), parser_(max_reply_bytes), silence_(silence),
          figures_(&figures)
    {
    }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // Empty when connected. `self` keeps the link alive meanwhile; close() ends it early.
    static awaitable<std::string> connect(Ptr self, Server server, std::chrono::milliseconds timeout);
    // Begins to read. The owner must outlive the link or its close().
    void start(LinkOwner& owner);

    bool is_open() const noexcept { return owner_ != nullptr; }
    // False while so much waits to be sent or answered that more would not be answered in time.
    bool has_room() const noexcept { return out_.size() < k_max_unsent && slots_.size() < k_max_unanswered; }
    void send(Pending& pending);
    // Sends words whose answer nobody wants: ASKING.
    void send_unanswered(std::span<const std::string_view> words);

    // Overwrites what is left in memory of what was sent: AUTH. Nothing may wait to be sent.
    void wipe_sent() noexcept;

    // Ends waiting commands whose time has come. When to look again; k_never: nothing waits.
    SteadyTime sweep(SteadyTime now);
    // Answers what waits with errc::in_doubt and lets go of the owner.
    void close() noexcept;
    void forget(Pending& pending) noexcept override { slots_.at(pending.sequence_) = nullptr; }

private:
    static constexpr std::size_t k_max_unsent = 8 * 1024 * 1024, k_max_unanswered = 65536;
    static constexpr std::size_t k_read_bytes = 16 * 1024;

    struct Received;
    struct Flush;
    struct Writable;
    struct Written;
    void count_sent();
    void read();
    void received(const boost::system::error_code& ec, std::size_t bytes);
    void deliver();
    void flush();
    void write();
    void end(const std::string& why);

    Transport transport_;
    ReplyParser parser_;
    std::chrono::milliseconds silence_;
    Figures* figures_;
    LinkOwner* owner_ = nullptr;
    ReplySlots slots_;
    std::string out_, sending_; // what the next write takes, and what the current one has
    std::size_t sent_ = 0;      // of sending_
    bool is_connecting_ = false, timed_out_ = false;
    bool flush_due_ = false, writing_ = false;
    SteadyTime heard_{}; // when bytes last came, or waiting began
    std::array<char, k_read_bytes> buffer_;
    HandlerSlot read_slot_, write_slot_, flush_slot_;
};

} // namespace gw::redis
