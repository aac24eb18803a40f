// A pending command that an Asio coroutine waits for. Nothing is allocated but the coroutine's own frames.
#pragma once

#include "adapters/redis/client.hpp"

#include <boost/asio/async_result.hpp>

#include <optional>
#include <utility>

namespace gw::redis {

class Awaited final : public Pending {
public:
    using Pending::Pending;

    void answered(result<Reply> answer) override
    {
        answer_ = std::move(answer);
        if (!handler_)
            return; // before anybody waits: they will not
        // The handler ends in the coroutine, and with it this object.
        auto handler = std::move(*handler_);
        handler_.reset();
        std::move(handler)();
    }

    // Of a command that was started: its answer.
    static awaitable<result<Reply>> answer_of(Awaited& call)
    {
        if (!call.answer_) {
            auto initiate = [&call](Handler&& handler) { call.handler_.emplace(std::move(handler)); };
            co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(initiate, may_throw);
        }
        co_return std::move(*call.answer_);
    }

private:
    using Handler = asio::async_result<asio::use_awaitable_t<Executor>, void()>::handler_type;
    std::optional<Handler> handler_;
    std::optional<result<Reply>> answer_;
};

// A client whose coroutines are its start(), awaited.
class AwaitableCalls : public Client {
public:
    awaitable<result<Reply>> command(std::string_view key, const std::vector<std::string>& words) final
    {
        Command command;
        command.key = key;
        command.words = words;
        return answer_to(*this, command);
    }
    awaitable<result<Reply>> run(const Script& script, const std::vector<std::string>& keys,
                                 const std::vector<std::string>& arguments) final
    {
        Command command;
        command.key = keys.empty() ? std::string_view{} : std::string_view{keys.front()};
        command.script = &script;
        command.keys = keys;
        command.arguments = arguments;
        return answer_to(*this, command);
    }

private:
    static awaitable<result<Reply>> answer_to(Client& client, Command command)
    {
        Awaited call{command};
        if (!client.start(call))
            co_return errc::unavailable;
        co_return co_await Awaited::answer_of(call);
    }
};

} // namespace gw::redis
