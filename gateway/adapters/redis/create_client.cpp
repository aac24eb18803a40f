// Which client the options ask for.
#include "adapters/redis/client.hpp"

#include "adapters/redis/single_client.hpp"

namespace gw::redis {

std::unique_ptr<Client> create_client(Executor executor, const Options& options)
{
    return std::make_unique<SingleClient>(std::move(executor), options);
}

} // namespace gw::redis
