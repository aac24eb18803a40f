// See clients.hpp.
#include "adapters/redis/clients.hpp"

#include "adapters/redis/connection.hpp"

#include <algorithm>

namespace gw::redis {

Clients::Clients(Options options) : options_(std::move(options))
{
    (void)tls_context_of(options_); // now rather than on a worker
}

Clients::~Clients() = default;

Client& Clients::of(const Executor& executor)
{
    const asio::io_context* const context = &executor.context();
    const std::lock_guard locked{mutex_};
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [context](const Entry& entry) { return entry.context == context; });
    if (found != entries_.end())
        return *found->client;
    Entry entry{context, create_client(executor, options_)};
    entries_.push_back(std::move(entry));
    return *entries_.back().client;
}

void Clients::leave(const Executor& executor)
{
    std::unique_ptr<Client> leaving; // ends after the lock: what waits is answered then, and may ask for more
    {
        const std::lock_guard locked{mutex_};
        for (Entry& entry : entries_)
            if (entry.context == &executor.context())
                leaving = std::move(entry.client);
        std::erase_if(entries_, [](const Entry& entry) { return entry.client == nullptr; });
    }
}

} // namespace gw::redis
