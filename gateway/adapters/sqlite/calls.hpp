// How the stores' coroutines make their blocking calls: the deadline starts when the call is made, waiting
// for a thread included. `work(Connection&)` returns a result<T>; write it on a line of its own (STYLE.md
// section 7).
#pragma once

#include "adapters/sqlite/database.hpp"
#include "net/offload.hpp"

#include <type_traits>

namespace gw::sqlite {

// In a write transaction, on the file's own thread.
template <class Work>
awaitable<std::invoke_result_t<Work&, Connection&>> write(DatabaseFile& file, Deadline deadline, Work work)
{
    auto call = [&] { return file.write(deadline, work); };
    co_return co_await offload(file.writing_pool(), call);
}

// On one state of the file, on any thread of `pool`.
template <class Work>
awaitable<std::invoke_result_t<Work&, Connection&>> read(DatabaseFile& file, BlockingPool& pool,
                                                         Deadline deadline, Work work)
{
    auto call = [&] { return file.read(deadline, work); };
    co_return co_await offload(pool, call);
}

} // namespace gw::sqlite
