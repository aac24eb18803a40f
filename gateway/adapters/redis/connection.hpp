// The way to one server: connects, greets, watches the deadlines, and when the server does not answer,
// refuses at once until a PING in the background was answered in time. Connects again by itself, with
// growing, random pauses.
#pragma once

#include "adapters/redis/circuit.hpp"
#include "adapters/redis/link.hpp"
#include "net/tls.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace gw::redis {

// What a connection is for. References must outlive it.
struct Dialing {
    std::function<awaitable<result<Server>>()> where; // asked before each attempt; an error: try again later
    std::string_view user;
    const Secret* password = nullptr; // null or empty: no AUTH
    unsigned database = 0;
    bool must_be_primary = false; // ROLE must answer "master"
    std::chrono::milliseconds command_timeout, connect_timeout;
    std::size_t max_reply_bytes = 0;
    asio::ssl::context* tls = nullptr;
    std::string_view what = "redis"; // for the log
};

class Connection final : LinkOwner,
                         public Waiting,
                         public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter> {
public:
    using Ptr = boost::intrusive_ptr<Connection>;

    Connection(Executor executor, Dialing dialing, Figures& figures);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Begins to connect. Once.
    static void start(Ptr self);
    // Ends everything; what waits is answered. Nothing that was given to the constructor is used afterwards.
    void close() noexcept;

    // Sends the command with what else is sent in this turn; the one that is not there yet if the first
    // connection is still being made. False: refused, and nothing was sent. Its deadline_ must be set.
    [[nodiscard]] bool submit(Pending& pending);
    // The same behind an ASKING, on the same connection.
    [[nodiscard]] bool submit_asking(Pending& pending);
    // Waits for the answer to `words`, with the connection's own command timeout.
    awaitable<result<Reply>> ask(const std::vector<std::string>& words);

    bool is_up() const noexcept { return is_ready() || is_first_; }
    // The server that it is, or was last, connected to.
    const Server& server() const noexcept { return server_; }
    // Ends the present connection, because of what the server said; another one is made at once.
    void drop(const std::string& why);
    void forget(Pending& pending) noexcept override;

    // Called when the connection was lost or its circuit opened.
    std::function<void()> on_down;

private:
    static awaitable<void> tend(Ptr self);
    awaitable<void> attempt();
    awaitable<std::string> open();
    awaitable<std::string> greet();
    awaitable<result<Reply>> ask_directly(const std::vector<std::string>& words,
                                          std::chrono::milliseconds timeout);
    awaitable<void> stay();
    awaitable<void> pause(std::chrono::milliseconds duration);
    void wake() noexcept;

    void on_answer(Pending& pending, Reply&& reply) override;
    void on_overdue(Pending& pending) override;
    void on_end(const std::string& why) override;

    bool is_ready() const noexcept { return greeted_ && circuit_.is_closed(); }
    bool has_place() const noexcept { return is_ready() && link_->has_room(); }
    void watch(SteadyTime deadline);
    void sweep();
    void come_up();
    void go_down(const std::string& why);
    void release_parked();
    void refuse_parked(SteadyTime until);

    Executor executor_;
    Dialing dialing_;
    Figures* figures_;
    Server server_;
    Link::Ptr link_;
    Circuit circuit_;
    bool greeted_ = false; // the link has been greeted, and is open
    bool is_first_ = true; // neither connected nor failed yet
    bool closed_ = false;
    std::string logged_why_;       // it is down, and the log says so; empty: it is not
    std::string end_why_;          // of the last link
    std::vector<Pending*> parked_; // until the first connection stands
    Timer pause_timer_, deadline_timer_;
    SteadyTime watched_until_ = k_never;
    std::minstd_rand random_;
};

// The options' TLS; null: plain. Throws std::runtime_error that names the file that cannot be used.
TlsContext tls_context_of(const Options& options);

// Puts a result into the hands of whoever waits: the client's filter, or the caller.
inline void settle(Pending& pending, AnswerFilter* filter, result<Reply> answer)
{
    if (filter != nullptr)
        filter->settle(pending, std::move(answer));
    else
        pending.answered(std::move(answer));
}

} // namespace gw::redis
