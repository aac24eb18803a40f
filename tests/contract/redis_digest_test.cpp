// The shared digests in Redis: the contract, forged and spoiled entries, expiry, outages; and how many nodes
// live.
#include "adapters/redis/digest_store.hpp"
#include "adapters/redis/live_nodes.hpp"

#include "contract/contexts.hpp"
#include "contract/digest_store_contract.hpp"
#include "contract/redis_client_world.hpp"

using namespace gw;
using namespace std::chrono_literals;

namespace {

const KeyId id = *KeyId::parse("4fQz0c9XkT2mB7aP"), other = *KeyId::parse("9zQz0c9XkT2mB7aP");
const std::string k_name = "portcullis:digests:1:4fQz0c9XkT2mB7aP",
                  k_other_name = "portcullis:digests:1:9zQz0c9XkT2mB7aP";

// One process: a store whose clients are those of the event loops that call it.
class RedisDigestWorld {
public:
    explicit RedisDigestWorld(std::chrono::milliseconds command_timeout = 2s)
    {
        redis::Options options = RedisClientWorld::options_for(*server_);
        options.command_timeout = command_timeout;
        clients_ = std::make_unique<redis::Clients>(std::move(options));
    }
    std::unique_ptr<DigestStore> open(asio::io_context&)
    {
        redis::DigestStore::Options options;
        options.keep = 1000s;
        return std::make_unique<redis::DigestStore>(*clients_, options);
    }
    asio::io_context& context() { return contexts_->fresh(); }
    RedisServer& server() noexcept { return *server_; }
    redis::Clients& clients() noexcept { return *clients_; }

private:
    std::unique_ptr<RedisServer> server_ = std::make_unique<RedisServer>();
    std::unique_ptr<Contexts> contexts_ = std::make_unique<Contexts>();
    std::unique_ptr<redis::Clients> clients_;
};

// Beats once; the test's own call, as a fault.
error_code beat(RedisClientWorld& world, redis::LiveNodes& nodes)
{
    return fault_of(run(world.context(), nodes.beat(world.client())));
}

} // namespace

TEST_CASE("redis digests: keep the contract", "[contract][redis]")
{
    digest_store_contract([] { return RedisDigestWorld{}; });
}

TEST_CASE("redis digests: a key's name and value show no secret and nothing to try one against",
          "[contract][redis]")
{
    RedisDigestWorld world;
    asio::io_context& context = world.context();
    REQUIRE(run(context, world.open(context)->put(id, detail::digests_of(3, {1}))));
    const auto names = world.server().ask({"KEYS", "*"}).items;
    REQUIRE(names.size() == 1);
    CHECK(names[0].text == k_name);
    const std::string value = world.server().ask({"GET", k_name}).text;
    CHECK(value.front() == 1); // the format
    CHECK(value.find("secret of version 1") == std::string::npos);
}

TEST_CASE("redis digests: an entry copied to another key's name matches none of its secrets",
          "[contract][redis]")
{
    RedisDigestWorld world;
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    const std::string pepper = "a pepper that Redis never sees";
    // As the ladder makes them: HMAC of what is length-prefixed and joined, tenant, key_id, version and
    // secret.
    const auto digest = [&pepper](const KeyId& key, const std::string& secret) {
        return hmac_sha256(pepper,
                           "4:acme16:" + key.str() + "1:1" + std::to_string(secret.size()) + ":" + secret);
    };
    VerifiedDigests mine;
    mine.record_version = 1;
    mine.pepper_id = "p1";
    mine.versions.resize(1);
    mine.versions[0].number = 1;
    mine.versions[0].digest = digest(id, "my own secret");
    REQUIRE(run(context, store->put(id, mine)));
    world.server().ask({"COPY", k_name, k_other_name});
    const auto forged = detail::digests_at(context, *store, other);
    REQUIRE(forged);
    CHECK(forged->versions[0].digest != digest(other, "my own secret"));
}

TEST_CASE("redis digests: a spoiled entry is corrupt until the next put replaces it", "[contract][redis]")
{
    RedisDigestWorld world;
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    const std::string damage =
        GENERATE(as<std::string>{}, "", "garbage", std::string(3, '\1'), "\1" + std::string(20, '\0') + "x");
    world.server().ask({"SET", k_name, damage});
    const auto found = run(context, store->find(id));
    CHECK(fault_of(found) == errc::corrupt);
    CHECK(run(context, store->put(id, detail::digests_of(1, {2}))));
    CHECK(detail::digests_at(context, *store, id) == detail::digests_of(1, {2}));
}

TEST_CASE(
    "redis digests: a format of a later release is not understood, and not overwritten by an older record",
    "[contract][redis]")
{
    RedisDigestWorld world;
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    const std::string later = "\x02" + std::string("\0\0\0\0\0\0\0\x09", 8) + "whatever comes then";
    world.server().ask({"SET", k_name, later});
    const auto found = run(context, store->find(id));
    CHECK(fault_of(found) == errc::corrupt);
    CHECK(run(context, store->put(id, detail::digests_of(8, {1}))));
    CHECK(world.server().ask({"GET", k_name}).text == later);
    CHECK(run(context, store->put(id, detail::digests_of(9, {1}))));
    CHECK(detail::digests_at(context, *store, id) == detail::digests_of(9, {1}));
}

TEST_CASE("redis digests: entries end some time after their last use", "[contract][redis]")
{
    RedisDigestWorld world;
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    REQUIRE(run(context, store->put(id, detail::digests_of(1, {1}))));
    const auto left = [&] { return world.server().ask({"TTL", k_name}).integer; };
    CHECK(left() > 900);
    world.server().ask({"EXPIRE", k_name, "990"}); // as good as new: a find writes nothing
    CHECK(detail::digests_at(context, *store, id));
    CHECK(left() <= 990);
    world.server().ask({"EXPIRE", k_name, "100"});
    CHECK(detail::digests_at(context, *store, id));
    CHECK(left() > 900);
}

TEST_CASE("redis digests: out of reach is a fault at once, and passes", "[contract][redis]")
{
    RedisDigestWorld world{200ms};
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    REQUIRE(run(context, store->put(id, detail::digests_of(1, {1}))));
    world.server().pause();
    for (int i = 0; i < 3; ++i)
        CHECK(fault_of(run(context, store->find(id))) == errc::unavailable);
    const auto began = SteadyClock::now();
    CHECK(fault_of(run(context, store->find(id))) == errc::unavailable);
    CHECK(fault_of(run(context, store->put(id, detail::digests_of(1, {1})))) == errc::unavailable);
    CHECK(SteadyClock::now() - began < 150ms);
    world.server().resume();
    wait_for(
        [&] {
            context.restart();
            context.run_for(5ms);
            return !fault_of(run(context, store->find(id)));
        },
        "back again");
}

TEST_CASE("redis digests: a right that is missing is said in the log", "[contract][redis]")
{
    RedisDigestWorld world;
    asio::io_context& context = world.context();
    world.server().ask({"LPUSH", k_name, "of another kind"});
    CapturedLog log;
    CHECK(fault_of(run(context, world.open(context)->find(id))) == errc::unavailable);
    CHECK(log.text().find("redis.digests_refused") != std::string::npos);
}

TEST_CASE("redis clients: a loop that leaves runs out of work", "[contract][redis]")
{
    RedisDigestWorld world;
    asio::io_context& context = world.context();
    REQUIRE(run(context, world.open(context)->put(id, detail::digests_of(1, {1}))));
    world.clients().leave(context.get_executor());
    context.restart();
    context.run_for(5s);
    CHECK(context.stopped());
    CHECK(detail::digests_at(context, *world.open(context), id)); // and may come back
}

TEST_CASE("redis live nodes: each counts all, those that went silent are forgotten", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    redis::LiveNodes a{"p", "node-a"}, b{"p", "node-b"}, elsewhere{"q", "node-c"};
    CHECK(a.count() == 1);
    CHECK_FALSE(beat(world, elsewhere));
    CHECK_FALSE(beat(world, a));
    CHECK(a.count() == 1);
    CHECK_FALSE(beat(world, b));
    CHECK_FALSE(beat(world, a));
    CHECK(a.count() == 2);
    CHECK(b.count() == 2);

    // b was last there three and a half seconds ago.
    const auto seen = std::stoll(server.ask({"ZSCORE", "p:nodes:1", "node-b"}).text);
    server.ask({"ZADD", "p:nodes:1", std::to_string(seen - 3500), "node-b"});
    CHECK_FALSE(beat(world, a));
    CHECK(a.count() == 1);
    CHECK(run(world.context(), b.leave(world.client())));
    CHECK(server.ask({"ZCARD", "p:nodes:1"}).integer == 1);
}

TEST_CASE("redis live nodes: during an outage the last count stays", "[contract][redis]")
{
    RedisServer server;
    RedisClientWorld world{server};
    redis::LiveNodes a{"p", "node-a"}, b{"p", "node-b"};
    CHECK_FALSE(beat(world, a));
    CHECK_FALSE(beat(world, b));
    server.pause();
    CHECK(beat(world, b) == errc::in_doubt);
    CHECK(b.count() == 2);
    server.resume();
}
