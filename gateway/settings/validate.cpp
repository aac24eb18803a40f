// Rules between fields: listeners, proxies, keys. Plans and routes are in validate_routes.
#include "settings/validate.hpp"

#include "settings/validate_routes.hpp"

#include <algorithm>

namespace gw {
namespace {

struct Listener {
    const ListenAddress* address;
    std::string path;
};

std::vector<Listener> listeners_of(const std::vector<ListenAddress>& listen, const std::string& section)
{
    std::vector<Listener> all;
    for (std::size_t i = 0; i < listen.size(); ++i)
        all.push_back({&listen[i], section + ".listen[" + std::to_string(i) + "].address"});
    return all;
}

bool is_any_address(const Address& address)
{
    return address == Address::from_v4(0) || address == Address::from_v6({});
}

bool is_loopback(const Address& address)
{
    return Network::parse("127.0.0.0/8")->contains(address) || Network::parse("::1/128")->contains(address);
}

// Two sockets of one family on one port, on the same address or one of them on all addresses.
bool clash(const ListenAddress& a, const ListenAddress& b)
{
    const auto first = Address::parse(a.host), second = Address::parse(b.host);
    if (!first || !second || a.port == 0 || a.port != b.port || first->is_v4() != second->is_v4())
        return false;
    return *first == *second || is_any_address(*first) || is_any_address(*second);
}

void validate_listeners(const Settings& settings, Findings& findings)
{
    std::vector<Listener> all = listeners_of(settings.gateway.listen, "gateway");
    const std::vector<Listener> admin = listeners_of(settings.admin.listen, "admin");
    all.insert(all.end(), admin.begin(), admin.end());
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (clash(*all[j].address, *all[i].address)) {
                findings.error(all[i].path, "clashes with " + all[j].path + " on port " +
                                                std::to_string(all[i].address->port));
                break;
            }

    for (const Listener& listener : admin) {
        const auto address = Address::parse(listener.address->host);
        if (address && !is_loopback(*address))
            findings.warn(listener.path,
                          "the admin listener is reachable from other machines without TLS; management "
                          "keys and sessions cross the network in the clear");
    }
}

void validate_proxies(const Settings& settings, Findings& findings)
{
    const std::vector<Network>& proxies = settings.gateway.trusted_proxies;
    const bool trusts_all = std::any_of(proxies.begin(), proxies.end(), [](const Network& network) {
        const std::string text = network.str();
        return text.ends_with("/0");
    });
    if (trusts_all)
        findings.warn("gateway.trusted_proxies",
                      "trusts every address: any client can claim any address in "
                      "X-Forwarded-For, and limits and allow-lists by address mean nothing");
}

void validate_stores(const Settings& settings, Findings& findings)
{
    if (settings.stores.postgres && !settings.stores.vault)
        findings.warn("stores.secrets.local",
                      "the sealed store is this machine's own: another node on the same PostgreSQL knows the keys and "
                      "cannot verify them");
}

void validate_vault(const Settings& settings, Findings& findings)
{
    const auto& vault = settings.stores.vault;
    if (!vault || vault->tls || vault->host.empty() || vault->host == "localhost")
        return;
    const auto address = Address::parse(vault->host);
    if (!address || !is_loopback(*address))
        findings.warn("stores.secrets.vault.address",
                      "without TLS: tokens, hashes and the pepper cross the network in the clear; write https://");
}

void validate_redis(const Settings& settings, Findings& findings)
{
    const auto& redis = settings.stores.redis_limits;
    if (!redis || redis->tls)
        return;
    const auto is_near = [](const RedisAddress& server) {
        const auto address = Address::parse(server.host);
        return server.host.empty() || server.host == "localhost" || (address && is_loopback(*address));
    };
    const bool all_near = redis->sentinel
                              ? std::all_of(redis->sentinel->nodes.begin(), redis->sentinel->nodes.end(), is_near)
                              : is_near(redis->server);
    if (!all_near)
        findings.warn("stores.limits.redis.url",
                      "without TLS: whoever is on the network between can read the password and change limits; write rediss://");
}

void validate_keys(const Settings& settings, Findings& findings)
{
    const KeySettings& keys = settings.keys;
    if (keys.bcrypt_cost < 10)
        findings.warn("keys.bcrypt_cost",
                      "below 10: hashes that leak are cheaper to attack than is usual today");
    if (keys.max_age && *keys.max_age < keys.rotate_after)
        findings.warn("keys.max_age", "shorter than keys.rotate_after: keys expire before rotation is due");
}

// Is something at `path` or inside it wrong already? Then what is said of it now is only a consequence.
bool follows_from(const std::vector<Problem>& problems, const std::string& path)
{
    return std::any_of(problems.begin(), problems.end(), [&path](const Problem& problem) {
        return problem.path.starts_with(path) &&
               (problem.path.size() == path.size() || problem.path[path.size()] == '.' ||
                problem.path[path.size()] == '[');
    });
}

} // namespace

std::vector<Problem> validate(const Settings& settings)
{
    Findings findings{settings};
    validate_listeners(settings, findings);
    validate_proxies(settings, findings);
    validate_vault(settings, findings);
    validate_redis(settings, findings);
    validate_credentials(settings.gateway.credentials, "gateway.credentials", findings);
    validate_stores(settings, findings);
    validate_keys(settings, findings);
    validate_plans(settings, findings);
    validate_routes(settings, findings);
    std::vector<Problem> problems = findings.take();
    sort_problems(problems);
    return problems;
}

Loaded validated(Loaded loaded)
{
    // After a syntax error there is nothing to hold against each other.
    if (loaded.settings.marks.empty() && !loaded.ok())
        return loaded;
    const std::vector<Problem> found = loaded.problems;
    for (Problem& problem : validate(loaded.settings))
        if (!follows_from(found, problem.path))
            loaded.problems.push_back(std::move(problem));
    sort_problems(loaded.problems);
    return loaded;
}

} // namespace gw
