// See slot_table.hpp.
#include "adapters/redis/slot_table.hpp"

#include "observe/log.hpp"

#include <algorithm>

namespace gw::redis {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_between_refreshes{100}, k_routine{5000}; // and as much again by chance
constexpr std::chrono::seconds k_grace{10}; // for answers, and for servers that are only being given slots

awaitable<result<Server>> always(Server server)
{
    co_return server;
}

} // namespace

SlotTable::SlotTable(Executor executor, const Options& options, asio::ssl::context* tls, Figures& figures)
    : executor_(executor), options_(options), tls_(tls), figures_(&figures), timer_(executor),
      random_(std::random_device{}())
{
    owners_.fill(index_of(options.server));
}

void SlotTable::start(Ptr self)
{
    const Executor executor = self->executor_;
    asio::co_spawn(executor, keep(std::move(self)), [](std::exception_ptr escaped) {
        if (escaped)
            std::rethrow_exception(escaped);
    });
}

void SlotTable::close() noexcept
{
    const Ptr self{this};
    closed_ = true;
    timer_.cancel();
    owners_.fill(k_nobody);
    for (const Node& node : std::exchange(nodes_, {}))
        node.connection->close();
}

std::uint16_t SlotTable::index_of(const Server& server)
{
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].server == server)
            return static_cast<std::uint16_t>(i);
    Dialing dialing;
    dialing.where = [server] { return always(server); };
    dialing.user = options_.user;
    dialing.password = &options_.password;
    dialing.command_timeout = options_.command_timeout;
    dialing.connect_timeout = options_.connect_timeout;
    dialing.max_reply_bytes = options_.max_reply_bytes;
    dialing.tls = tls_;
    Node node;
    node.server = server;
    node.connection = new Connection{executor_, std::move(dialing), *figures_};
    node.connection->on_down = [this] { refresh_soon(); };
    node.keep_until = std::chrono::steady_clock::now() + k_grace;
    Connection::start(node.connection);
    nodes_.push_back(std::move(node));
    return static_cast<std::uint16_t>(nodes_.size() - 1);
}

Connection* SlotTable::owner_of(std::uint16_t slot)
{
    const std::uint16_t owner = owners_[slot];
    return owner == k_nobody ? nullptr : nodes_[owner].connection.get();
}

Connection& SlotTable::any()
{
    for (const Node& node : nodes_)
        if (node.connection->is_up())
            return *node.connection;
    return *nodes_.front().connection;
}

bool SlotTable::is_up() const noexcept
{
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [](const Node& node) { return node.connection->is_up(); });
}

Server SlotTable::server_of(std::uint16_t slot) const
{
    const std::uint16_t owner = owners_[slot];
    return owner == k_nobody ? options_.server : nodes_[owner].server;
}

void SlotTable::assign(std::uint16_t slot, const Server& server)
{
    const std::uint16_t owner = index_of(server);
    owners_[slot] = owner;
    refresh_soon();
}

Connection& SlotTable::connection_to(const Server& server)
{
    Node& node = nodes_[index_of(server)];
    node.keep_until = std::chrono::steady_clock::now() + k_grace;
    return *node.connection;
}

void SlotTable::refresh_soon()
{
    wanted_ = true;
    if (resting_)
        timer_.cancel();
}

awaitable<void> SlotTable::keep(Ptr self)
{
    while (!self->closed_) {
        self->wanted_ = false;
        co_await refresh(self);
        co_await self->pause(k_between_refreshes); // a storm of redirections asks no more often
        // Redirected, or a primary is away: someone else will serve its slots.
        if (self->wanted_ || self->has_gap() || self->closed_)
            continue;
        self->resting_ = true;
        co_await self->pause(k_routine);
        self->resting_ = false;
    }
}

awaitable<void> SlotTable::refresh(Ptr self)
{
    if (!self->is_up())
        self->index_of(self->options_.server); // by its name, which may lead elsewhere by now
    for (std::size_t i = 0; i < self->nodes_.size() && !self->closed_; ++i) {
        const Node& node = self->nodes_[(self->next_asked_ + i) % self->nodes_.size()];
        if (!node.connection->is_up())
            continue;
        const Server asked = node.server;
        const Connection::Ptr connection = node.connection;
        const result<Reply> reply = co_await connection->ask(self->question_);
        const auto ranges = reply ? slot_ranges_in(*reply, asked) : std::nullopt;
        if (self->closed_ || !ranges || ranges->empty())
            continue;
        self->next_asked_ += i + 1; // another one the next time
        self->apply(*ranges);
        break;
    }
}

awaitable<void> SlotTable::pause(milliseconds at_least)
{
    const double chance = std::uniform_real_distribution<double>{1, 2}(random_);
    timer_.expires_after(milliseconds{static_cast<long>(chance * static_cast<double>(at_least.count()))});
    co_await timer_.async_wait(no_throw);
}

void SlotTable::apply(const std::vector<SlotRange>& ranges)
{
    owners_.fill(k_nobody);
    const SteadyTime now = std::chrono::steady_clock::now();
    for (const SlotRange& range : ranges) {
        const std::uint16_t owner = index_of(range.primary);
        nodes_[owner].keep_until = now + k_grace;
        std::fill(owners_.begin() + range.first, owners_.begin() + range.last + 1, owner);
    }
    // Servers that have had no slots for a while. The order of the others stays, their numbers do not.
    std::vector<Node> gone, kept;
    std::vector<std::uint16_t> renumbered(nodes_.size(), k_nobody);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i].keep_until > now)
            renumbered[i] = static_cast<std::uint16_t>(kept.size());
        (nodes_[i].keep_until > now ? kept : gone).push_back(std::move(nodes_[i]));
    }
    nodes_ = std::move(kept);
    for (std::uint16_t& owner : owners_)
        if (owner != k_nobody)
            owner = renumbered[owner];
    for (const Node& node : gone)
        node.connection->close();
}

bool SlotTable::has_gap() const noexcept
{
    return std::any_of(owners_.begin(), owners_.end(), [this](std::uint16_t owner) {
        return owner == k_nobody || !nodes_[owner].connection->is_up();
    });
}

} // namespace gw::redis
