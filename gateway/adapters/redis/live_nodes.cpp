// See live_nodes.hpp.
#include "adapters/redis/live_nodes.hpp"

#include <algorithm>

namespace gw::redis {
namespace {

// A sorted set of nodes by when they were last there. ARGV: node, window in ms.
constexpr const char* k_beat = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 10 * ARGV[2])
redis.call('PEXPIRE', KEYS[1], 10 * ARGV[2])
return redis.call('ZCOUNT', KEYS[1], now - ARGV[2], '+inf')
)";

} // namespace

LiveNodes::LiveNodes(const std::string& key_prefix, std::string node)
    : node_(std::move(node)), key_{key_prefix + ":nodes:1"}, beat_(k_beat)
{
}

awaitable<result<void>> LiveNodes::beat(Client& client)
{
    const std::vector<std::string> arguments{node_, std::to_string(k_window.count())};
    const result<Reply> reply = co_await client.run(beat_, key_, arguments);
    if (!reply)
        co_return reply.error();
    if (reply->kind != Reply::Kind::integer)
        co_return errc::unavailable;
    count_.store(static_cast<unsigned>(std::max<std::int64_t>(1, reply->integer)), std::memory_order_relaxed);
    co_return result<void>{};
}

awaitable<result<void>> LiveNodes::leave(Client& client)
{
    const std::vector<std::string> words{"ZREM", key_.front(), node_};
    const result<Reply> reply = co_await client.command(key_.front(), words);
    if (!reply)
        co_return reply.error();
    co_return result<void>{};
}

} // namespace gw::redis
