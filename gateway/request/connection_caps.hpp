// How many client connections there may be, in all and from one address. Shared by the workers.
#pragma once

#include "domain/network.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace gw {

class ConnectionCaps {
public:
    // 0 means no limit.
    ConnectionCaps(std::uint32_t total, std::uint32_t per_address) noexcept : total_(total), per_address_(per_address)
    {
    }

    // False if either limit is reached; true must be paired with leave().
    bool enter(const Address& peer)
    {
        if (open_.fetch_add(1, std::memory_order_relaxed) >= total_ && total_ != 0) {
            open_.fetch_sub(1, std::memory_order_relaxed);
            return false;
        }
        if (per_address_ == 0)
            return true;
        const std::lock_guard lock{mutex_};
        std::uint32_t& count = by_address_[peer];
        if (count >= per_address_) {
            open_.fetch_sub(1, std::memory_order_relaxed);
            return false;
        }
        ++count;
        return true;
    }
    void leave(const Address& peer)
    {
        open_.fetch_sub(1, std::memory_order_relaxed);
        if (per_address_ == 0)
            return;
        const std::lock_guard lock{mutex_};
        const auto found = by_address_.find(peer);
        if (found != by_address_.end() && --found->second == 0)
            by_address_.erase(found);
    }
    std::uint32_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

private:
    const std::uint32_t total_, per_address_;
    std::atomic<std::uint32_t> open_{0};
    std::mutex mutex_;
    std::unordered_map<Address, std::uint32_t> by_address_;
};

} // namespace gw
