// How the stores' coroutines make their blocking calls: the deadline starts when the call is made, waiting
// for a thread included, and a database that is out of reach is not waited for at all. `work(Connection&)`
// returns a result<T>; write it on a line of its own (STYLE.md section 7).
#pragma once

#include "adapters/postgres/database.hpp"

#include <type_traits>

namespace gw::postgres {

// In a transaction.
template <class Work>
awaitable<std::invoke_result_t<Work&, Connection&>> write(Database& database, Work work)
{
    if (database.turns_away())
        co_return errc::unavailable;
    const Deadline deadline = database.deadline();
    auto call = [&] { return database.write(deadline, work); };
    co_return co_await offload(database.writing_pool(), call);
}

// One statement that writes.
template <class Work>
awaitable<std::invoke_result_t<Work&, Connection&>> write_once(Database& database, Work work)
{
    if (database.turns_away())
        co_return errc::unavailable;
    const Deadline deadline = database.deadline();
    auto call = [&] { return database.write_once(deadline, work); };
    co_return co_await offload(database.writing_pool(), call);
}

// One statement that reads.
template <class Work>
awaitable<std::invoke_result_t<Work&, Connection&>> read(Database& database, Work work)
{
    if (database.turns_away())
        co_return errc::unavailable;
    const Deadline deadline = database.deadline();
    auto call = [&] { return database.read(deadline, work); };
    co_return co_await offload(database.reading_pool(), call);
}

} // namespace gw::postgres
