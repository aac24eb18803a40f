// See connection.hpp. What happens while it stands; how it comes about is in connection_life.cpp.
#include "adapters/redis/connection.hpp"

#include "adapters/redis/awaited.hpp"
#include "observe/log.hpp"

#include <algorithm>

namespace gw::redis {

TlsContext tls_context_of(const Options& options)
{
    if (!options.tls)
        return {};
    TlsClientOptions tls;
    tls.ca_file = options.tls->ca;
    tls.certificate = options.tls->certificate;
    tls.key = options.tls->key;
    return make_tls_client_context(tls);
}

Connection::Connection(Executor executor, Dialing dialing, Figures& figures)
    : executor_(executor), dialing_(std::move(dialing)), figures_(&figures), pause_timer_(executor),
      deadline_timer_(executor), random_(std::random_device{}())
{
}

void Connection::close() noexcept
{
    const Ptr self{this};
    if (std::exchange(closed_, true))
        return;
    greeted_ = is_first_ = false;
    on_down = nullptr;
    wake();
    deadline_timer_.cancel();
    if (const Link::Ptr link = std::exchange(link_, nullptr))
        link->close();
    refuse_parked(k_never);
}

bool Connection::submit(Pending& pending)
{
    if (has_place()) {
        link_->send(pending);
    } else if (is_first_ && !closed_) {
        parked_.push_back(&pending);
        pending.waits_in_ = this;
    } else {
        return false;
    }
    watch(pending.deadline_);
    return true;
}

bool Connection::submit_asking(Pending& pending)
{
    if (!has_place())
        return submit(pending); // parked: the server will answer MOVED or ASK once more
    constexpr std::string_view asking[] = {"ASKING"};
    link_->send_unanswered(asking);
    return submit(pending);
}

awaitable<result<Reply>> Connection::ask(const std::vector<std::string>& words)
{
    Command command;
    command.words = words;
    Awaited call{command};
    call.deadline_ = std::chrono::steady_clock::now() + dialing_.command_timeout;
    if (!submit(call))
        co_return errc::unavailable;
    co_return co_await Awaited::answer_of(call);
}

void Connection::drop(const std::string& why)
{
    if (link_ == nullptr || !link_->is_open())
        return;
    const Link::Ptr link = link_;
    on_end(why);
    link->close();
}

void Connection::forget(Pending& pending) noexcept
{
    std::erase(parked_, &pending);
}

void Connection::on_answer(Pending& pending, Reply&& reply)
{
    circuit_.on_answer();
    settle(pending, pending.filter_, std::move(reply));
}

void Connection::on_overdue(Pending& pending)
{
    if (circuit_.on_timeout())
        go_down("no answer within " + std::to_string(dialing_.command_timeout.count()) + " ms");
    settle(pending, pending.filter_, make_error_code(errc::in_doubt));
}

void Connection::on_end(const std::string& why)
{
    greeted_ = false;
    end_why_ = why;
    if (circuit_.open())
        go_down(why);
    wake();
}

// One timer for all commands: it is set for the earliest deadline, and when it goes off, for the earliest of
// what waits then. Commands that are answered in time never touch it.
void Connection::watch(SteadyTime deadline)
{
    if (deadline >= watched_until_)
        return;
    watched_until_ = deadline;
    deadline_timer_.expires_at(deadline);
    auto look = [self = Ptr{this}](const boost::system::error_code& ec) {
        if (!ec && !self->closed_)
            self->sweep();
    };
    deadline_timer_.async_wait(std::move(look));
}

void Connection::sweep()
{
    const Ptr self{this};
    const SteadyTime now = std::chrono::steady_clock::now();
    watched_until_ = k_never;
    refuse_parked(now);
    const Link::Ptr link = link_;
    if (link == nullptr || !link->is_open())
        return;
    const SteadyTime next = link->sweep(now);
    if (next != k_never && !closed_)
        watch(std::max(next, now + std::chrono::milliseconds{1}));
}

void Connection::come_up()
{
    circuit_.close();
    is_first_ = false;
    if (!std::exchange(logged_why_, {}).empty()) {
        const std::string server = server_.str();
        log(LogLevel::info, "redis.up", {{"store", dialing_.what}, {"server", server}});
    }
    release_parked();
}

void Connection::go_down(const std::string& why)
{
    is_first_ = false;
    if (logged_why_ != why) { // once, and again when it is for another reason
        logged_why_ = why;
        const std::string server = server_.str();
        log(LogLevel::warn, "redis.down", {{"store", dialing_.what}, {"server", server}, {"why", why}});
    }
    wake();
    refuse_parked(k_never);
    if (on_down)
        on_down();
}

void Connection::release_parked()
{
    for (Pending* pending : std::exchange(parked_, {}))
        link_->send(*pending);
}

// Nothing was sent of them. Those who wait may start others, or go away.
void Connection::refuse_parked(SteadyTime until)
{
    const Ptr self{this};
    for (;;) {
        const auto due = std::find_if(parked_.begin(), parked_.end(), [until](const Pending* pending) {
            return pending->deadline_ <= until;
        });
        if (due == parked_.end())
            break;
        Pending& pending = **due;
        parked_.erase(due);
        pending.waits_in_ = nullptr;
        ++figures_->refused;
        settle(pending, pending.filter_, make_error_code(errc::unavailable));
    }
    if (closed_ || parked_.empty())
        return;
    SteadyTime next = k_never;
    for (const Pending* pending : parked_)
        next = std::min(next, pending->deadline_);
    watch(next);
}

} // namespace gw::redis
