// Brings what the workers counted into the usage store, every `usage.flush`, each batch exactly once.
#pragma once

#include "app/data_plane.hpp"
#include "net/asio.hpp"
#include "observe/metrics.hpp"
#include "ports/usage_store.hpp"

#include <chrono>
#include <string>

namespace gw {

// Control thread only.
class UsageFlush {
public:
    UsageFlush(DataPlane& plane, UsageStore& store, Metrics& metrics);

    // Repeats until stop().
    awaitable<void> run(std::chrono::milliseconds interval);
    // Ends run(); returns when it has ended. The workers must still be running: it may be asking them.
    awaitable<void> stop();
    // The last batch, after the plane has finished.
    awaitable<void> finish();

private:
    // Sends batch_ until the store has it; what arrives meanwhile goes into the next. A batch is repeated under
    // its own sequence number, so that it counts once even if an answer was lost.
    awaitable<void> send();

    DataPlane& plane_;
    UsageStore& store_;
    Metrics& metrics_;
    std::string node_; // of this process
    UsageBatch batch_;
    bool in_doubt_ = false; // batch_ was sent and not acknowledged: nothing may be added to it
    bool stopping_ = false, running_ = false;
    Timer* waiting_ = nullptr;
};

} // namespace gw
