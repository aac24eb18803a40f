// The io_contexts of a test's nodes, kept until its blocking pool is gone: a pool thread still touches the
// context of a call for a moment after the call has come back.
#pragma once

#include "net/asio.hpp"

#include <deque>
#include <mutex>

namespace gw {

class Contexts {
public:
    // A new one, valid as long as this object. Any thread.
    asio::io_context& fresh()
    {
        const std::lock_guard locked{mutex_};
        return contexts_.emplace_back(1);
    }

private:
    std::mutex mutex_;
    std::deque<asio::io_context> contexts_;
};

} // namespace gw
