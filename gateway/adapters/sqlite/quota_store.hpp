// Quota counters in SQLite: a debit is on the disk before its tokens are lent.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "net/offload.hpp"
#include "ports/quota_store.hpp"

namespace gw::sqlite {

class QuotaStore final : public gw::QuotaStore {
public:
    // `database` must outlive the store. Writes run on the database's own thread, never on `pool`.
    QuotaStore(Database& database, BlockingPool& pool);

    awaitable<result<Grant>> debit(const CounterId& counter, const QuotaWindow& window, std::uint64_t quota,
                                   std::uint64_t wanted) override;
    awaitable<result<void>> give_back(const CounterId& counter, const QuotaWindow& window,
                                      std::uint64_t unspent) override;

private:
    Database& database_;
};

} // namespace gw::sqlite
