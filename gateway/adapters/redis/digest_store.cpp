// See digest_store.hpp.
#include "adapters/redis/digest_store.hpp"

#include "adapters/redis/digest_entry.hpp"
#include "observe/log.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace gw::redis {
namespace {

// The time to live is renewed when a thirtieth of it has passed: a find is seldom a write.
constexpr const char* k_find = R"(
local text = redis.call('GET', KEYS[1])
if text and redis.call('PTTL', KEYS[1]) < ARGV[1] - ARGV[1] / 30 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return text
)";

// Record versions are compared byte by byte: numbers of Lua's lose what is above 2^53, and its `<` on texts
// follows the server's locale. What is too short to have one is replaced.
constexpr const char* k_put = R"(
local stored = redis.call('GETRANGE', KEYS[1], 1, 8)
if #stored == 8 then
    for i = 1, 8 do
        local theirs, ours = string.byte(stored, i), string.byte(ARGV[1], i + 1)
        if theirs > ours then
            return 0
        elseif theirs < ours then
            break
        end
    end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)";

std::string milliseconds_text(std::chrono::seconds time)
{
    return std::to_string(std::chrono::milliseconds{time}.count());
}

// A value of another kind under our name, a script's error, a right that is missing: for the operator to see.
error_code refused(const char* what, const Reply& reply)
{
    const std::string code{reply.error_code()};
    log(LogLevel::error, "redis.digests_refused", {{"call", what}, {"error", code}});
    return make_error_code(errc::unavailable);
}

} // namespace

DigestStore::DigestStore(Clients& clients, Options options)
    : clients_(clients), options_(std::move(options)), find_(k_find), put_(k_put)
{
}

std::string DigestStore::name_of(const KeyId& id) const
{
    return options_.key_prefix + ":digests:1:" + id.str();
}

awaitable<result<std::optional<VerifiedDigests>>> DigestStore::find(const KeyId& id)
{
    Client& client = clients_.of(co_await asio::this_coro::executor);
    const std::vector<std::string> keys{name_of(id)}, arguments{milliseconds_text(options_.keep)};
    const result<Reply> reply = co_await client.run(find_, keys, arguments);
    if (!reply)
        co_return errc::unavailable; // it has changed nothing that matters: no need for doubt
    if (reply->is_error())
        co_return refused("find", *reply);
    if (reply->kind == Reply::Kind::nil)
        co_return std::optional<VerifiedDigests>{};
    result<VerifiedDigests> digests = digest_entry_in(reply->text);
    if (!digests)
        co_return digests.error();
    co_return std::optional<VerifiedDigests>{std::move(*digests)};
}

awaitable<result<void>> DigestStore::put(const KeyId& id, const VerifiedDigests& digests)
{
    result<std::string> text = digest_entry_text(digests);
    if (!text)
        co_return text.error();
    Client& client = clients_.of(co_await asio::this_coro::executor);
    const std::vector<std::string> keys{name_of(id)},
        arguments{std::move(*text), milliseconds_text(options_.keep)};
    const result<Reply> reply = co_await client.run(put_, keys, arguments);
    if (!reply)
        co_return reply.error();
    if (reply->is_error())
        co_return refused("put", *reply);
    co_return result<void>{};
}

awaitable<result<void>> DigestStore::erase(const KeyId& id)
{
    Client& client = clients_.of(co_await asio::this_coro::executor);
    const std::string name = name_of(id);
    const std::vector<std::string> words{"DEL", name};
    const result<Reply> reply = co_await client.command(name, words);
    if (!reply)
        co_return reply.error();
    if (reply->is_error())
        co_return refused("erase", *reply);
    co_return result<void>{};
}

} // namespace gw::redis
