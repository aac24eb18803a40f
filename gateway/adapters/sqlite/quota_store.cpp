#include "adapters/sqlite/quota_store.hpp"

#include "adapters/sqlite/calls.hpp"

#include <algorithm>
#include <array>

namespace gw::sqlite {

namespace {

// 16 bytes, big endian.
std::array<unsigned char, 16> to_blob(const Identity128& identity)
{
    std::array<unsigned char, 16> bytes{};
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[7 - i] = static_cast<unsigned char>(identity.high >> (8 * i));
        bytes[15 - i] = static_cast<unsigned char>(identity.low >> (8 * i));
    }
    return bytes;
}

} // namespace

QuotaStore::QuotaStore(Database& database, BlockingPool&) : database_(database) {}

awaitable<result<QuotaStore::Grant>> QuotaStore::debit(const CounterId& counter, const QuotaWindow& window,
                                                       std::uint64_t quota, std::uint64_t wanted)
{
    auto work = [&](Connection& connection) -> result<Grant> {
        const auto policy = to_blob(counter.policy), partition = to_blob(counter.partition);
        const std::uint64_t most = std::min<std::uint64_t>(quota, INT64_MAX);
        Grant grant;
        {
            auto row = connection.prepare("SELECT used FROM quotas WHERE policy = ? AND partition = ?"
                                          " AND window_start = ? AND window_end = ?");
            row.bind(policy, partition, window.start, window.end);
            if (row.step())
                grant.used = row.unsigned_integer(0);
        }
        grant.granted = std::min(wanted, most - std::min(most, grant.used));
        if (grant.granted == 0)
            return grant; // nothing to write
        grant.used += grant.granted;
        connection
            .prepare("INSERT INTO quotas (policy, partition, window_start, window_end, used) VALUES (?, ?, "
                     "?, ?, ?)"
                     " ON CONFLICT (policy, partition, window_start, window_end) DO UPDATE SET used = "
                     "excluded.used")
            .bind(policy, partition, window.start, window.end, grant.used)
            .run();
        return grant;
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

awaitable<result<void>> QuotaStore::give_back(const CounterId& counter, const QuotaWindow& window,
                                              std::uint64_t unspent)
{
    auto work = [&](Connection& connection) -> result<void> {
        const auto policy = to_blob(counter.policy), partition = to_blob(counter.partition);
        connection
            .prepare("UPDATE quotas SET used = max(0, used - ?) WHERE policy = ? AND partition = ?"
                     " AND window_start = ? AND window_end = ?")
            .bind(std::min<std::uint64_t>(unspent, INT64_MAX), policy, partition, window.start, window.end)
            .run();
        return {};
    };
    co_return co_await write(database_.main(), database_.deadline(), work);
}

} // namespace gw::sqlite
