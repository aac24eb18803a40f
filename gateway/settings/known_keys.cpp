// The table of keys, in the order of DESIGN.md section 3.
#include "settings/known_keys.hpp"

#include <algorithm>

namespace gw {
namespace {

constexpr bool later = false; // of a coming version: refused, never ignored

constexpr KnownKey k_keys[] = {
    {"version"},
    {"include", later},
    {"namespace", later},
    {"cluster", later},

    {"gateway.listen[].address"},
    {"gateway.listen[].tls", later},
    {"gateway.listen[].proxy_protocol", later},
    {"gateway.public_url"},
    {"gateway.workers"},
    {"gateway.trusted_proxies"},
    {"gateway.limits.head_bytes"},
    {"gateway.limits.head_fields"},
    {"gateway.limits.body_bytes"},
    {"gateway.limits.connections"},
    {"gateway.limits.connections_per_ip"},
    {"gateway.timeouts.head"},
    {"gateway.timeouts.body_idle"},
    {"gateway.timeouts.keep_alive"},
    {"gateway.timeouts.drain"},
    {"gateway.credentials"},
    {"gateway.strip_credentials"},
    {"gateway.legacy_rate_limit_headers"},
    {"gateway.failed_attempts.per_ip"},
    {"gateway.failed_attempts.per_ip_and_key"},
    {"gateway.deny_keys"},

    {"admin.listen[].address"},
    {"admin.listen[].tls", later},
    {"admin.public_url"},
    {"admin.bootstrap_key"},

    {"stores.metadata.sqlite"},
    {"stores.metadata.postgres.url"},
    {"stores.metadata.postgres.password"},
    {"stores.metadata.postgres.pool"},
    {"stores.metadata.postgres.deadline"},
    {"stores.secrets.local.path"},
    {"stores.secrets.local.master_key"},
    {"stores.secrets.vault", later},
    {"stores.limits.memory"},
    {"stores.limits.redis", later},

    {"keys.brand"},
    {"keys.hash"},
    {"keys.bcrypt_cost"},
    {"keys.cache_ttl"},
    {"keys.cache_entries"},
    {"keys.stale_while_unavailable"},
    {"keys.hash_threads"},
    {"keys.hash_queue"},
    {"keys.rotate_after"},
    {"keys.max_age"},

    {"usage.flush"},
    {"usage.keep.minutes"},
    {"usage.keep.hours"},
    {"usage.keep.days"},

    {"log.level"},
    {"log.access"},

    {"roles", later},
    {"tenants", later},
    {"alerts", later},
    {"notifications", later},
    {"mail", later},
    {"tracing", later},

    {"scopes.*"},

    {"plans.*.limits[].name"},
    {"plans.*.limits[].per"},
    {"plans.*.limits[].rate"},
    {"plans.*.limits[].burst"},
    {"plans.*.limits[].quota"},
    {"plans.*.limits[].enforce"},
    {"plans.*.limits[].on_outage"},
    {"plans.*.limits[].exact"},
    {"plans.*.limits[].concurrency", later},

    {"upstreams.*.targets"},
    {"upstreams.*.balance", later},
    {"upstreams.*.health", later},
    {"upstreams.*.tls", later},
    {"upstreams.*.timeouts.connect"},
    {"upstreams.*.timeouts.first_byte"},
    {"upstreams.*.timeouts.idle"},
    {"upstreams.*.timeouts.tunnel_idle", later},
    {"upstreams.*.keep_alive"},
    {"upstreams.*.retries"},

    {"routes[].id"},
    {"routes[].match.host"},
    {"routes[].match.path"},
    {"routes[].match.methods"},
    {"routes[].auth"},
    {"routes[].scopes"},
    {"routes[].any_scope"},
    {"routes[].environments"},
    {"routes[].tenants"},
    {"routes[].credentials"},
    {"routes[].strip_credentials"},
    {"routes[].body_bytes"},
    {"routes[].cost"},
    {"routes[].limits[].name"},
    {"routes[].limits[].per"},
    {"routes[].limits[].rate"},
    {"routes[].limits[].burst"},
    {"routes[].limits[].quota"},
    {"routes[].limits[].enforce"},
    {"routes[].limits[].on_outage"},
    {"routes[].limits[].exact"},
    {"routes[].limits[].concurrency", later},
    {"routes[].upstream"},
    {"routes[].plan", later},
    {"routes[].websocket", later},
    {"routes[].cors", later},
    {"routes[].rewrite", later},
    {"routes[].timeouts", later},
};

// The key of the mapping at `parent` that leads to `place`, or empty.
std::string_view key_below(std::string_view place, std::string_view parent)
{
    if (!parent.empty()) {
        if (!place.starts_with(parent) || place.size() <= parent.size() || place[parent.size()] != '.')
            return {};
        place.remove_prefix(parent.size() + 1);
    }
    return place.substr(0, place.find_first_of(".["));
}

} // namespace

std::span<const KnownKey> known_keys() noexcept
{
    return k_keys;
}

KeyStatus status_of_key(std::string_view parent, std::string_view key)
{
    KeyStatus status = KeyStatus::unknown;
    for (const KnownKey& known : k_keys) {
        const std::string_view below = key_below(known.place, parent);
        if (below.empty() || (below != key && below != "*"))
            continue;
        if (known.built)
            return KeyStatus::built;
        status = KeyStatus::not_built;
    }
    return status;
}

std::vector<std::string_view> keys_of(std::string_view parent)
{
    std::vector<std::string_view> keys;
    for (const KnownKey& known : k_keys) {
        const std::string_view below = key_below(known.place, parent);
        if (!below.empty() && below != "*" && known.built &&
            std::find(keys.begin(), keys.end(), below) == keys.end())
            keys.push_back(below);
    }
    return keys;
}

} // namespace gw
