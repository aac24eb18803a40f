#include "adapters/postgres/watchdog.hpp"

#include <sys/socket.h>

namespace gw::postgres {

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog()
{
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Watchdog::run()
{
    std::unique_lock lock{mutex_};
    auto next = [this] { // the first that is still to be shut down
        auto entry = sockets_.begin();
        while (entry != sockets_.end() && entry->second < 0)
            ++entry;
        return entry;
    };
    while (!stopping_) {
        const auto entry = next();
        if (entry == sockets_.end()) {
            changed_.wait(lock);
        } else if (const Deadline at = entry->first; std::chrono::steady_clock::now() < at) {
            changed_.wait_until(lock, at);
        } else {
            ::shutdown(entry->second, SHUT_RDWR);
            entry->second = -1;
        }
    }
}

Watchdog::Watch::Watch(Watchdog& dog, int socket, Deadline deadline)
    : dog_(dog), set_(deadline != Deadline::max())
{
    if (!set_)
        return;
    bool is_first = false;
    {
        const std::lock_guard lock{dog_.mutex_};
        place_ = dog_.sockets_.emplace(deadline, socket);
        is_first = place_ == dog_.sockets_.begin();
    }
    if (is_first)
        dog_.changed_.notify_one();
}

Watchdog::Watch::~Watch()
{
    if (!set_)
        return;
    const std::lock_guard lock{dog_.mutex_};
    dog_.sockets_.erase(place_);
}

} // namespace gw::postgres
