// Several redis-servers that belong together: a primary with a replica and a sentinel, and a cluster of six.
#pragma once

#include "support/redis/redis_server.hpp"

#include <array>
#include <functional>
#include <memory>

namespace gw {

// Polls until it holds; throws after 20 s.
inline void wait_for(const std::function<bool()>& condition, const std::string& what)
{
    for (int attempt = 0; attempt < 2000; ++attempt) {
        try {
            if (condition())
                return;
        } catch (const std::runtime_error&) { // a server that starts or ends
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    throw std::runtime_error{"never: " + what};
}

class SentinelFleet {
public:
    // `password` is the servers', and the sentinel's own is "sentinel-" + password; empty: none.
    explicit SentinelFleet(const std::string& password = {})
        : password_(password), primary_(data_options()), replica_(data_options()),
          sentinel_(sentinel_options())
    {
        const std::string port = std::to_string(primary_.port());
        replica_.ask_as(password_, {"REPLICAOF", "127.0.0.1", port});
        wait_for([this] { return info(replica_).find("master_link_status:up") != std::string::npos; },
                 "a replica");
        sentinel({"SENTINEL", "MONITOR", name(), "127.0.0.1", port, "1"});
        sentinel({"SENTINEL", "SET", name(), "down-after-milliseconds", "500"});
        sentinel({"SENTINEL", "SET", name(), "failover-timeout", "5000"});
        if (!password_.empty())
            sentinel({"SENTINEL", "SET", name(), "auth-pass", password_});
        wait_for(
            [this] {
                return sentinel({"SENTINEL", "REPLICAS", name()}).items.size() == 1;
            },
            "the sentinel knows it");
    }

    static std::string name() { return "main"; }
    RedisServer& primary() noexcept { return primary_; }
    RedisServer& replica() noexcept { return replica_; }
    RedisServer& sentinel_server() noexcept { return sentinel_; }
    std::string sentinel_password() const { return password_.empty() ? "" : "sentinel-" + password_; }
    redis::Reply sentinel(const std::vector<std::string>& words)
    {
        return sentinel_.ask_as(sentinel_password(), words);
    }

private:
    RedisServer::Options data_options() const
    {
        RedisServer::Options options;
        if (!password_.empty())
            options.arguments = {"--requirepass", password_, "--masterauth", password_};
        options.arguments.insert(options.arguments.end(),
                                 {"--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"});
        return options;
    }
    RedisServer::Options sentinel_options() const
    {
        RedisServer::Options options;
        options.sentinel = true;
        if (!password_.empty())
            options.arguments = {"--requirepass", sentinel_password()};
        return options;
    }
    std::string info(RedisServer& server) { return server.ask_as(password_, {"INFO", "replication"}).text; }

    std::string password_;
    RedisServer primary_, replica_, sentinel_;
};

// Three primaries and a replica of each.
class RedisCluster {
public:
    RedisCluster()
    {
        std::vector<std::string> words{"redis-cli", "--cluster", "create"};
        for (auto& node : nodes_) {
            RedisServer::Options options;
            options.cluster = true;
            options.arguments = {"--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"};
            node = std::make_unique<RedisServer>(options);
            words.push_back(node->address().str());
        }
        words.insert(words.end(), {"--cluster-replicas", "1", "--cluster-yes"});
        ChildProcess::run(words, (nodes_.front()->folder() / "create.log").string());
        for (auto& node : nodes_)
            wait_for(
                [&] {
                    const std::string info = node->ask({"CLUSTER", "INFO"}).text;
                    return info.find("cluster_state:ok") != std::string::npos &&
                           info.find("cluster_known_nodes:6") != std::string::npos;
                },
                "a cluster");
    }

    RedisServer& node(std::size_t index) { return *nodes_[index]; }
    static constexpr std::size_t size() { return 6; }
    // The primary that serves the slot, as the others see it.
    RedisServer& owner_of(std::uint16_t slot)
    {
        for (auto& asked : nodes_) {
            try {
                for (const redis::Reply& range : asked->ask({"CLUSTER", "SLOTS"}).items)
                    if (range.items[0].integer <= slot && slot <= range.items[1].integer)
                        return at(range.items[2].items[1].integer);
            } catch (const std::runtime_error&) { // this one does not run
            }
        }
        throw std::runtime_error{"nobody serves the slot"};
    }
    // Any other primary.
    RedisServer& other_primary(const RedisServer& than)
    {
        for (const auto slot : std::initializer_list<std::uint16_t>{0, 8000, 16383})
            if (RedisServer& owner = owner_of(slot); owner.port() != than.port())
                return owner;
        throw std::runtime_error{"there is only one primary"};
    }

private:
    RedisServer& at(std::int64_t port)
    {
        for (auto& node : nodes_)
            if (node->port() == port)
                return *node;
        throw std::runtime_error{"no such node"};
    }

    std::array<std::unique_ptr<RedisServer>, 6> nodes_;
};

} // namespace gw
