// Which client the options ask for.
#include "adapters/redis/cluster_client.hpp"
#include "adapters/redis/single_client.hpp"

namespace gw::redis {

std::unique_ptr<Client> create_client(Executor executor, const Options& options)
{
    if (options.cluster)
        return std::make_unique<ClusterClient>(std::move(executor), options);
    return std::make_unique<SingleClient>(std::move(executor), options);
}

} // namespace gw::redis
