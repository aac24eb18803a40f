// See sentinel.hpp.
#include "adapters/redis/sentinel.hpp"

#include <charconv>

namespace gw::redis {
namespace {

constexpr std::chrono::milliseconds k_ask_again{2000}; // and as much again by chance

awaitable<result<Server>> always(Server server)
{
    co_return server;
}

// ["10.0.0.1", "6379"], or nil for a name that it does not know.
result<Server> server_in(const Reply& reply)
{
    if (reply.kind != Reply::Kind::array || reply.items.size() != 2)
        return errc::unavailable;
    Server server;
    server.host = reply.items[0].text;
    const std::string& port = reply.items[1].text;
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (failed != std::errc{} || end != port.data() + port.size() || server.host.empty())
        return errc::unavailable;
    return server;
}

} // namespace

Sentinels::Sentinels(Executor executor, const Options& options, asio::ssl::context* tls, Figures& figures)
    : executor_(executor), options_(options), tls_(tls), figures_(&figures),
      sentinels_(options.sentinel->nodes.size()), question_{"SENTINEL", "get-master-addr-by-name",
                                                            options.sentinel->master},
      timer_(executor), random_(std::random_device{}())
{
}

void Sentinels::close() noexcept
{
    const Ptr self{this};
    closed_ = true;
    timer_.cancel();
    for (const Connection::Ptr& sentinel : sentinels_)
        if (sentinel)
            sentinel->close();
}

Connection& Sentinels::sentinel(std::size_t index)
{
    Connection::Ptr& slot = sentinels_[index];
    if (slot)
        return *slot;
    Dialing dialing;
    dialing.password = &options_.sentinel->password;
    // A sentinel is asked rarely, and never on a request's path.
    dialing.command_timeout = dialing.connect_timeout = options_.connect_timeout;
    dialing.max_reply_bytes = options_.max_reply_bytes;
    dialing.tls = tls_;
    dialing.what = "sentinel";
    dialing.where = [server = options_.sentinel->nodes[index]] { return always(server); };
    slot = new Connection{executor_, std::move(dialing), *figures_};
    Connection::start(slot);
    return *slot;
}

awaitable<result<Server>> Sentinels::primary(Ptr self)
{
    const std::size_t count = self->sentinels_.size(), first = self->preferred_;
    for (std::size_t i = 0; i < count && !self->closed_; ++i) {
        const std::size_t index = (first + i) % count;
        const result<Reply> reply = co_await self->sentinel(index).ask(self->question_);
        if (!reply || self->closed_)
            continue;
        const result<Server> server = server_in(*reply);
        if (!server)
            continue;
        self->preferred_ = index;
        co_return *server;
    }
    co_return errc::unavailable;
}

void Sentinels::watch(Ptr self, Connection::Ptr connection)
{
    const Executor executor = self->executor_;
    asio::co_spawn(executor, keep_watch(std::move(self), std::move(connection)),
                   [](std::exception_ptr escaped) {
                       if (escaped)
                           std::rethrow_exception(escaped);
                   });
}

awaitable<void> Sentinels::keep_watch(Ptr self, Connection::Ptr connection)
{
    while (!self->closed_) {
        const double chance = std::uniform_real_distribution<double>{1, 2}(self->random_);
        self->timer_.expires_after(
            std::chrono::milliseconds{static_cast<long>(chance * k_ask_again.count())});
        co_await self->timer_.async_wait(no_throw);
        if (self->closed_ || !connection->is_up())
            continue; // it asks by itself
        const result<Server> server = co_await primary(self);
        if (!self->closed_ && server && *server != connection->server())
            connection->drop("the sentinels name another primary");
    }
}

} // namespace gw::redis
