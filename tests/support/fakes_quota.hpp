// A quota store in memory that behaves: debits are all it keeps, so dropping a limiter without shut_down() is
// a crash, and a new limiter over the same store is the restart. Any thread.
#pragma once

#include "ports/quota_store.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace gw::test {

class FakeQuotaStore final : public QuotaStore {
public:
    awaitable<result<Grant>> debit(const CounterId& counter, const QuotaWindow& window, std::uint64_t quota,
                                   std::uint64_t wanted) override
    {
        const Executor executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, may_throw); // others run meanwhile, as they would with a real store
        const std::lock_guard lock{mutex_};
        ++debits_;
        if (is_down_)
            co_return make_error_code(errc::unavailable);
        std::uint64_t& used = used_[{counter, window.start}];
        Grant grant;
        grant.granted = std::min(wanted, quota - std::min(quota, used));
        used += grant.granted;
        grant.used = used;
        co_return grant;
    }

    awaitable<result<void>> give_back(const CounterId& counter, const QuotaWindow& window, std::uint64_t unspent) override
    {
        const std::lock_guard lock{mutex_};
        if (is_down_)
            co_return make_error_code(errc::unavailable);
        std::uint64_t& used = used_[{counter, window.start}];
        used -= std::min(used, unspent);
        co_return result<void>{};
    }

    void set_down(bool down)
    {
        const std::lock_guard lock{mutex_};
        is_down_ = down;
    }
    std::uint64_t debits() const
    {
        const std::lock_guard lock{mutex_};
        return debits_;
    }
    // Debited in the window that starts then.
    std::uint64_t used(const CounterId& counter, WallTime window_start) const
    {
        const std::lock_guard lock{mutex_};
        const auto it = used_.find({counter, window_start});
        return it == used_.end() ? 0 : it->second;
    }
    std::uint64_t used_in_all() const
    {
        const std::lock_guard lock{mutex_};
        std::uint64_t sum = 0;
        for (const auto& [key, used] : used_)
            sum += used;
        return sum;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<CounterId, WallTime>, std::uint64_t> used_;
    std::uint64_t debits_ = 0;
    bool is_down_ = false;
};

} // namespace gw::test
