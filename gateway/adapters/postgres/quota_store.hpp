// Quota counters in PostgreSQL: a debit is committed before its tokens are lent. One statement each, so that
// nodes that share a counter hold its row for a moment only.
#pragma once

#include "adapters/postgres/database.hpp"
#include "ports/quota_store.hpp"

namespace gw::postgres {

class QuotaStore final : public gw::QuotaStore {
public:
    // `database` must outlive the store.
    explicit QuotaStore(Database& database) : database_(database) {}

    awaitable<result<Grant>> debit(const CounterId& counter, const QuotaWindow& window, std::uint64_t quota,
                                   std::uint64_t wanted) override;
    awaitable<result<void>> give_back(const CounterId& counter, const QuotaWindow& window,
                                      std::uint64_t unspent) override;

private:
    Database& database_;
};

} // namespace gw::postgres
