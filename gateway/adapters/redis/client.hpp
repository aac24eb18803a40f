// One worker's way to Redis: a connection per server, commands pipelined as they come, an answer or errc
// within the command's deadline. Standalone, Sentinel and Cluster look alike from here: a command names the
// key that decides which server it goes to.
//
// One executor's thread. Never blocks; hiredis formats and parses, our socket moves the bytes.
#pragma once

#include "adapters/redis/options.hpp"
#include "adapters/redis/reply.hpp"
#include "domain/errors.hpp"
#include "net/asio.hpp"

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gw::redis {

// A Lua script, sent by its SHA-1 (EVALSHA) and, only where a server does not know it yet, in full.
class Script {
public:
    explicit Script(std::string source);
    const std::string& source() const noexcept { return source_; }
    const std::string& sha1() const noexcept { return sha1_; } // 40 hex digits

private:
    std::string source_, sha1_;
};

// What is to be sent. All that it refers to must stay valid until the answer.
struct Command {
    std::string_view key;               // its hash tag decides which server; empty: any primary
    std::span<const std::string> words; // of a plain command
    const Script* script = nullptr;     // or a script, then with
    std::span<const std::string> keys, arguments;
};

class Pending;

// Where a pending command waits. It is told when the command is given up by whoever waits for it.
class Waiting {
public:
    virtual void forget(Pending& pending) noexcept = 0;

protected:
    ~Waiting() = default;
};

// Sees an answer before the one who waits for it, to follow a redirection or send a script in full.
class AnswerFilter {
public:
    virtual void settle(Pending& pending, result<Reply> answer) = 0;

protected:
    ~AnswerFilter() = default;
};

// One command on its way, in memory of the caller's: nothing is allocated for it. May be destroyed at any
// time; its answer is then thrown away when it comes.
class Pending {
public:
    explicit Pending(const Command& command) noexcept : command_(command) {}
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    virtual ~Pending() { leave(); }

    // Called once, from the event loop, never inside Client::start(). May destroy the Pending and start
    // others.
    virtual void answered(result<Reply> answer) = 0;

private:
    friend class Link;
    friend class Connection;
    friend class SingleClient;
    friend class ClusterClient;
    void leave() noexcept
    {
        if (waits_in_ != nullptr)
            waits_in_->forget(*this);
        waits_in_ = nullptr;
    }

    Command command_;
    std::chrono::steady_clock::time_point deadline_{};
    AnswerFilter* filter_ = nullptr; // of the client; none: the answer goes to answered()
    Waiting* waits_in_ = nullptr;
    std::uint64_t sequence_ = 0; // of its answer on that connection
    std::uint8_t redirects_ = 0; // how often it was sent elsewhere
    bool in_full_ = false;       // the script was sent with its source
};

class Client {
public:
    virtual ~Client() = default;

    // Sends `words` to the server of `key` (its hash tag decides; empty: any primary) with what else is sent
    // in this turn of the event loop. errc::unavailable: not connected, or the circuit is open (said at once,
    // nothing sent); errc::in_doubt: sent, and not answered within the command's deadline: it may or may not
    // have been done. Never sent twice, but where the server said MOVED or ASK, that is, that it did nothing.
    // Before the first connection is made or has failed, commands wait for it, within their deadline. The
    // arguments must outlive the await.
    virtual awaitable<result<Reply>> command(std::string_view key, const std::vector<std::string>& words) = 0;
    // The same for a script: all of `keys` share the hash tag of the first.
    virtual awaitable<result<Reply>> run(const Script& script, const std::vector<std::string>& keys,
                                         const std::vector<std::string>& arguments) = 0;
    // False while commands would be refused at once.
    virtual bool is_up() const noexcept = 0;

    // The same for the data path, without a coroutine or an allocation: true if `pending` will be answered,
    // false if it is refused at once (errc::unavailable). See also Ask below.
    [[nodiscard]] virtual bool start(Pending& pending) = 0;
    // Since the client was made.
    virtual const Figures& figures() const noexcept = 0;
};

// co_await of a Task (net/task.hpp):
//     const Command get{...};
//     const result<Reply> reply = co_await Ask{client, get};
class Ask final : public Pending {
public:
    Ask(Client& client, const Command& command) noexcept : Pending(command), client_(client) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> caller)
    {
        caller_ = caller;
        return client_.start(*this);
    }
    result<Reply> await_resume() noexcept { return std::move(answer_); }
    void answered(result<Reply> answer) override
    {
        answer_ = std::move(answer);
        caller_.resume();
    }

private:
    Client& client_;
    std::coroutine_handle<> caller_;
    result<Reply> answer_ = make_error_code(errc::unavailable);
};

// Connects in the background, and again whenever it must. May be made on any thread. Throws std::exception
// with a text that names what to do if the TLS files cannot be used. `options` must outlive the client; the
// client must be destroyed on the executor's thread or when that has ended, and before the context; what
// waits is answered then.
std::unique_ptr<Client> create_client(Executor executor, const Options& options);

} // namespace gw::redis
