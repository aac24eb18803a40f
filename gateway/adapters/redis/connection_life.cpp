// The life of a Connection, as one coroutine: connect, greet, stay until the end, pause, again.
#include "adapters/redis/connection.hpp"

#include "adapters/redis/awaited.hpp"
#include "observe/log.hpp"

#include <algorithm>

namespace gw::redis {
namespace {

// What an error says, safe for the log: its first word only. The rest may repeat our arguments, and those of
// AUTH are secret: "unknown command 'AUTH', with args beginning with: ...".
std::string said(const Reply& reply)
{
    const std::string_view code = reply.error_code();
    const bool is_word = !code.empty() && code.size() <= 16 &&
                         std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    return is_word ? std::string{code} : std::string{"an error"};
}

// Empty if it is as wanted.
std::string fault_in(const result<Reply>& reply, std::string_view command)
{
    if (!reply)
        return "no answer to " + std::string{command};
    if (reply->is_error())
        return std::string{command} + " was refused: " + said(*reply);
    return {};
}

} // namespace

void Connection::start(Ptr self)
{
    const Executor executor = self->executor_;
    asio::co_spawn(executor, tend(std::move(self)), [](std::exception_ptr escaped) {
        if (!escaped)
            return;
        try {
            std::rethrow_exception(escaped);
        } catch (const std::exception& e) {
            log(LogLevel::error, "redis.connection_failed", {{"what", e.what()}});
        }
    });
}

awaitable<void> Connection::tend(Ptr self)
{
    while (!self->closed_) {
        co_await self->attempt();
        if (self->closed_)
            break;
        const double chance = std::uniform_real_distribution<double>{0, 1}(self->random_);
        co_await self->pause(self->circuit_.next_pause(chance));
    }
}

// From one attempt to connect to the end of what came of it.
awaitable<void> Connection::attempt()
{
    std::string why;
    try {
        why = co_await open();
        if (why.empty() && greeted_)
            co_await stay();
    } catch (const std::exception& e) {
        why = e.what();
    }
    if (const Link::Ptr link = std::exchange(link_, nullptr); link != nullptr && !closed_)
        link->close();
    greeted_ = false;
    if (!why.empty() && !closed_)
        go_down(why);
}

awaitable<std::string> Connection::open()
{
    const result<Server> server = co_await dialing_.where();
    if (closed_)
        co_return "given up";
    if (!server)
        co_return "no server is known";
    server_ = *server;
    const auto silence =
        std::max({std::chrono::milliseconds{1000}, dialing_.connect_timeout, 2 * dialing_.command_timeout});
    link_ = new Link{executor_, dialing_.tls, dialing_.max_reply_bytes, silence, *figures_};
    std::string why = co_await Link::connect(link_, server_, dialing_.connect_timeout);
    if (closed_ || !why.empty())
        co_return closed_ ? "given up" : why;
    link_->start(*this);
    end_why_.clear();
    why = co_await greet();
    greeted_ = why.empty() && link_ != nullptr && link_->is_open();
    if (greeted_)
        ++figures_->connects;
    co_return end_why_.empty() ? why : end_why_;
}

awaitable<std::string> Connection::greet()
{
    std::string why;
    if (dialing_.password != nullptr && !dialing_.password->empty()) {
        std::vector<std::string> auth{"AUTH"};
        if (!dialing_.user.empty())
            auth.emplace_back(dialing_.user);
        auth.emplace_back(dialing_.password->reveal());
        const result<Reply> reply = co_await ask_directly(auth, dialing_.connect_timeout);
        wipe(auth.back().data(), auth.back().size());
        if (link_ != nullptr)
            link_->wipe_sent();
        why = fault_in(reply, "AUTH");
    }
    if (why.empty() && dialing_.database != 0) {
        const std::vector<std::string> select{"SELECT", std::to_string(dialing_.database)};
        const result<Reply> reply = co_await ask_directly(select, dialing_.connect_timeout);
        why = fault_in(reply, "SELECT");
    }
    if (why.empty() && dialing_.must_be_primary) {
        const std::vector<std::string> role{"ROLE"};
        const result<Reply> reply = co_await ask_directly(role, dialing_.connect_timeout);
        why = fault_in(reply, "ROLE");
        if (why.empty() && (reply->items.empty() || reply->items.front().text != "master"))
            why = "it is not the primary";
    }
    if (why.empty()) {
        // Also where nothing else is asked for: a server that loads its data, or wants a password, says so
        // here.
        const std::vector<std::string> ping{"PING"};
        const result<Reply> reply = co_await ask_directly(ping, dialing_.connect_timeout);
        why = fault_in(reply, "PING");
    }
    co_return why;
}

// Past the circuit: for the connection's own commands.
awaitable<result<Reply>> Connection::ask_directly(const std::vector<std::string>& words,
                                                  std::chrono::milliseconds timeout)
{
    const Link::Ptr link = link_;
    if (link == nullptr || !link->is_open())
        co_return errc::unavailable;
    Command command;
    command.words = words;
    Awaited call{command};
    call.deadline_ = std::chrono::steady_clock::now() + timeout;
    link->send(call);
    watch(call.deadline_);
    co_return co_await Awaited::answer_of(call);
}

// While the link stands. A circuit that is open, as it is at first, closes when a PING is answered in time.
awaitable<void> Connection::stay()
{
    while (greeted_ && !closed_) {
        if (circuit_.is_closed()) {
            co_await pause(std::chrono::hours{24});
            continue;
        }
        const std::vector<std::string> ping{"PING"};
        const result<Reply> reply = co_await ask_directly(ping, dialing_.command_timeout);
        if (!greeted_ || closed_)
            break;
        if (reply && !reply->is_error()) {
            come_up();
            continue;
        }
        go_down("PING was not answered in time");
        const double chance = std::uniform_real_distribution<double>{0, 1}(random_);
        co_await pause(circuit_.next_pause(chance));
    }
}

awaitable<void> Connection::pause(std::chrono::milliseconds duration)
{
    pause_timer_.expires_after(duration);
    co_await pause_timer_.async_wait(no_throw);
}

void Connection::wake() noexcept
{
    pause_timer_.cancel();
}

} // namespace gw::redis
