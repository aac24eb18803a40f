// The clients of a process for those who are called from many event loops: each loop has a client of its own,
// made when it is first asked for.
#pragma once

#include "adapters/redis/client.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace gw::redis {

class Clients {
public:
    // Throws std::runtime_error that names the TLS file that cannot be used.
    explicit Clients(Options options);
    // Every loop has ended, or has left; its context is still there.
    ~Clients();
    Clients(const Clients&) = delete;
    Clients& operator=(const Clients&) = delete;

    // The client of that loop, valid until it leaves. Any thread; the client itself is for the loop's own.
    Client& of(const Executor& executor);
    // On the loop's thread: its client ends, so that the loop can run out of work.
    void leave(const Executor& executor);

    const Options& options() const noexcept { return options_; }

private:
    struct Entry {
        const asio::io_context* context;
        std::unique_ptr<Client> client;
    };

    Options options_;
    std::mutex mutex_; // held for a look at a few entries
    std::vector<Entry> entries_;
};

} // namespace gw::redis
