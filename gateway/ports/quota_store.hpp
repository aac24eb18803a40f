// Calendar quotas of the in-memory limiter, debited here durably before they are lent to a worker, so that
// a crash loses tokens (stricter) and never grants them twice.
#pragma once

#include "domain/errors.hpp"
#include "domain/limit_policy.hpp"
#include "domain/token_bucket.hpp"
#include "net/asio.hpp"

#include <cstdint>

namespace gw {

class QuotaStore {
public:
    virtual ~QuotaStore() = default;

    struct Grant {
        std::uint64_t granted = 0; // 0..wanted; durable before this returns
        std::uint64_t used = 0;    // all that has been debited in this window, the grant included
    };
    // Debits up to `wanted` from the counter's window, so that never more than `quota` is debited in it.
    virtual awaitable<result<Grant>> debit(const CounterId& counter, const QuotaWindow& window,
                                           std::uint64_t quota, std::uint64_t wanted) = 0;
    // Returns what was debited and not spent. Never retried by the caller.
    virtual awaitable<result<void>> give_back(const CounterId& counter, const QuotaWindow& window,
                                              std::uint64_t unspent) = 0;
};

} // namespace gw
