// A Redis client under test on an event loop of its own, and what tests do with it.
#pragma once

#include "adapters/redis/client.hpp"
#include "contract/fault_of.hpp"
#include "support/redis/redis_fleets.hpp"
#include "support/run_awaitable.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <fstream>
#include <functional>
#include <sstream>

namespace gw {

using SteadyClock = std::chrono::steady_clock;

class RedisClientWorld {
public:
    // Deadlines that a sanitized build on a busy machine can keep.
    static redis::Options options_for(const RedisServer& server)
    {
        redis::Options options;
        options.server = server.address();
        options.command_timeout = std::chrono::milliseconds{300};
        options.connect_timeout = std::chrono::milliseconds{3000};
        return options;
    }

    explicit RedisClientWorld(redis::Options options) : options_(std::move(options)), client_(make()) {}
    explicit RedisClientWorld(const RedisServer& server) : RedisClientWorld(options_for(server)) {}

    redis::Client& client() noexcept { return *client_; }
    asio::io_context& context() noexcept { return context_; }
    void drop_client() { client_.reset(); }

    // Answers as text; an errc in angle brackets.
    std::string say(const std::vector<std::string>& words, const std::string& key = {})
    {
        return drawn(run(context_, client_->command(key, words)));
    }
    std::string say(const redis::Script& script, const std::vector<std::string>& keys,
                    const std::vector<std::string>& arguments = {})
    {
        return drawn(run(context_, client_->run(script, keys, arguments)));
    }
    static std::string drawn(const result<redis::Reply>& reply)
    {
        if (!reply)
            return reply.error() == errc::unavailable ? "<unavailable>"
                   : reply.error() == errc::in_doubt  ? "<in doubt>"
                                                      : "<" + reply.error().message() + ">";
        switch (reply->kind) {
        case redis::Reply::Kind::nil:
            return "(nil)";
        case redis::Reply::Kind::integer:
            return std::to_string(reply->integer);
        case redis::Reply::Kind::array:
            return "(" + std::to_string(reply->items.size()) + " items)";
        default:
            return reply->text;
        }
    }

    // Lets the event loop run until it holds. False after `patience`.
    bool becomes(const std::function<bool()>& condition,
                 std::chrono::milliseconds patience = std::chrono::seconds{20})
    {
        const auto until = SteadyClock::now() + patience;
        while (!condition() && SteadyClock::now() < until) {
            context_.restart();
            context_.run_for(std::chrono::milliseconds{2});
        }
        return condition();
    }
    bool comes_up(std::chrono::milliseconds patience = std::chrono::seconds{20})
    {
        return becomes([this] { return client_->figures().connects > 0 && client_->is_up(); }, patience);
    }

private:
    std::unique_ptr<redis::Client> make() { return redis::create_client(context_.get_executor(), options_); }

    asio::io_context context_{1};
    redis::Options options_;
    std::unique_ptr<redis::Client> client_;
};

// A pending command that remembers its answer.
class Noted final : public redis::Pending {
public:
    using Pending::Pending;
    void answered(result<redis::Reply> answer) override
    {
        text = RedisClientWorld::drawn(answer);
        at = SteadyClock::now();
        ++times;
    }
    std::string text;
    SteadyClock::time_point at{};
    int times = 0;
};

// What the process writes to standard error meanwhile, which is where the log goes.
class CapturedLog {
public:
    CapturedLog() : kept_(::dup(2))
    {
        const int file = ::open(path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ::dup2(file, 2);
        ::close(file);
    }
    CapturedLog(const CapturedLog&) = delete;
    CapturedLog& operator=(const CapturedLog&) = delete;
    ~CapturedLog()
    {
        ::dup2(kept_, 2);
        ::close(kept_);
    }
    std::string text() const
    {
        std::ostringstream all;
        all << std::ifstream{path()}.rdbuf();
        return all.str();
    }

private:
    std::string path() const { return (scratch_.path() / "log").string(); }

    ScratchFolder scratch_;
    int kept_;
};

} // namespace gw
