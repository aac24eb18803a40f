// See foundation.hpp.
#include "app/foundation.hpp"

#include "net/run_awaitable.hpp"

#include <stdexcept>

namespace gw {

namespace {

std::vector<std::string> route_ids(const Settings& settings)
{
    std::vector<std::string> ids;
    for (const RouteSettings& route : settings.routes)
        ids.push_back(route.id);
    return ids;
}

} // namespace

Foundation::Foundation(const Settings& given, ServeOptions::Role role)
    : settings(given), metrics(route_ids(given)),
      stores(given, Stores::Use::serve, blocking, metrics.quota_debits),
      failures(given.gateway.failed_attempts.per_ip, given.gateway.failed_attempts.per_ip_and_key),
      hashes(given.keys.hash_threads, given.keys.hash_queue, metrics)
{
    metrics.started_at_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
    // A node that only serves the data path needs no right to write to the vault.
    const bool may_create = role != ServeOptions::Role::gateway;
    const result<void> loaded = run(context, peppers.load(stores.vault(), may_create));
    context.restart();
    if (!loaded && loaded.error() == errc::not_found)
        throw std::runtime_error(
            "the secret store holds no pepper yet: start a node with --role admin or all first");
    if (!loaded)
        throw std::runtime_error("the secret store cannot be read: " + loaded.error().message());
}

Foundation::~Foundation()
{
    blocking.join();
    hashing.join();
}

} // namespace gw
