// How many processes share these limits: each says every second that it is there, by Redis's clock. Where
// Redis is out of reach, a policy's limit is divided by the number that was last known.
#pragma once

#include "adapters/redis/client.hpp"

#include <atomic>
#include <string>

namespace gw::redis {

class LiveNodes {
public:
    // `node` is this process's name, new at every start: "node-" and random characters.
    LiveNodes(const std::string& key_prefix, std::string node);

    // To be called every second: says that this node is there, and counts those that were within k_window. Of
    // an error nothing changes: the last count stays.
    awaitable<result<void>> beat(Client& client);
    // In good order: the others count one less at once.
    awaitable<result<void>> leave(Client& client);

    // At least 1, which it is until the first beat succeeds. Any thread.
    unsigned count() const noexcept { return count_.load(std::memory_order_relaxed); }

    static constexpr std::chrono::milliseconds k_window{3000};

private:
    std::string node_;
    std::vector<std::string> key_;
    Script beat_;
    std::atomic<unsigned> count_{1};
};

} // namespace gw::redis
