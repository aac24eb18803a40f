#include "adapters/postgres/quota_store.hpp"

#include "adapters/postgres/calls.hpp"

#include <algorithm>

namespace gw::postgres {

namespace {

// 16 bytes, big endian, as a bytea literal.
std::string to_bytea(const Identity128& identity)
{
    constexpr std::string_view k_digits = "0123456789abcdef";
    std::string text = "\\x";
    for (const std::uint64_t half : {identity.high, identity.low})
        for (int shift = 60; shift >= 0; shift -= 4)
            text += k_digits[half >> shift & 15];
    return text;
}

std::uint64_t as_bigint(std::uint64_t number)
{
    return std::min<std::uint64_t>(number, INT64_MAX);
}

} // namespace

awaitable<result<QuotaStore::Grant>> QuotaStore::debit(const CounterId& counter, const QuotaWindow& window,
                                                       std::uint64_t quota, std::uint64_t wanted)
{
    auto work = [&](Connection& connection) -> result<Grant> {
        // RETURNING sees a row only as it is afterwards: so the grant is written too.
        const auto rows = connection.query(
            "INSERT INTO quotas AS q (policy, partition, window_start, window_end, used, granted)"
            " VALUES ($1::bytea, $2::bytea, $3, $4, LEAST($5::bigint, $6::bigint), LEAST($5::bigint, "
            "$6::bigint))"
            " ON CONFLICT (policy, partition, window_start, window_end) DO UPDATE SET"
            " used = q.used + LEAST($6::bigint, GREATEST(0, $5::bigint - q.used)),"
            " granted = LEAST($6::bigint, GREATEST(0, $5::bigint - q.used)) RETURNING granted, used",
            to_bytea(counter.policy), to_bytea(counter.partition), window.start, window.end, as_bigint(quota),
            as_bigint(wanted));
        return Grant{rows[0].unsigned_integer(0), rows[0].unsigned_integer(1)};
    };
    co_return co_await write_once(database_, work);
}

awaitable<result<void>> QuotaStore::give_back(const CounterId& counter, const QuotaWindow& window,
                                              std::uint64_t unspent)
{
    auto work = [&](Connection& connection) -> result<void> {
        connection.query("UPDATE quotas SET used = GREATEST(0, used - $5::bigint) WHERE policy = $1::bytea"
                         " AND partition = $2::bytea AND window_start = $3 AND window_end = $4",
                         to_bytea(counter.policy), to_bytea(counter.partition), window.start, window.end,
                         as_bigint(unspent));
        return {};
    };
    co_return co_await write_once(database_, work);
}

} // namespace gw::postgres
