// Writes settings back as YAML. Without secrets its output loads into equal settings; a test holds it to
// that.
#include "settings/print.hpp"

#include "settings/units.hpp"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <array>

namespace gw {
namespace {

using YAML::BeginMap, YAML::BeginSeq, YAML::EndMap, YAML::EndSeq, YAML::Key, YAML::Value;

constexpr const char* k_masked = "********";

template <class T>
void put(YAML::Emitter& out, const char* key, const T& value)
{
    out << Key << key << Value << value;
}

void put_text(YAML::Emitter& out, const char* key, const std::string& value)
{
    out << Key << key << Value << YAML::DoubleQuoted << value;
}

void put_time(YAML::Emitter& out, const char* key, milliseconds value)
{
    put(out, key, format_duration(value));
}

template <class Range, class Text>
void put_list(YAML::Emitter& out, const char* key, const Range& range, Text text)
{
    out << Key << key << Value << YAML::Flow << BeginSeq;
    for (const auto& item : range)
        out << YAML::DoubleQuoted << std::string{text(item)};
    out << EndSeq;
}

void open(YAML::Emitter& out, const char* key)
{
    out << Key << key << Value << BeginMap;
}

std::string text_of(const CredentialSource& source)
{
    switch (source.kind) {
    case CredentialSource::Kind::bearer:
        return "bearer";
    case CredentialSource::Kind::header:
        return "header:" + source.name;
    case CredentialSource::Kind::query:
        return "query:" + source.name;
    case CredentialSource::Kind::cookie:
        return "cookie:" + source.name;
    }
    return {};
}

std::string authority_of(const std::string& host, std::uint16_t port)
{
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

milliseconds in_milliseconds(Duration value)
{
    return std::chrono::duration_cast<milliseconds>(value);
}

void put_listen(YAML::Emitter& out, const std::vector<ListenAddress>& listen)
{
    out << Key << "listen" << Value << BeginSeq;
    for (const ListenAddress& address : listen) {
        out << BeginMap;
        put_text(out, "address", authority_of(address.host, address.port));
        out << EndMap;
    }
    out << EndSeq;
}

void put_url(YAML::Emitter& out, const std::string& url)
{
    if (!url.empty())
        put_text(out, "public_url", url);
}

const char* text_of(OnOutage on_outage)
{
    constexpr std::array<const char*, 3> k_names{"local", "open", "closed"};
    return k_names[static_cast<std::size_t>(on_outage)];
}

void put_limits(YAML::Emitter& out, const std::vector<LimitPolicy>& limits)
{
    out << Key << "limits" << Value << BeginSeq;
    for (const LimitPolicy& limit : limits) {
        out << BeginMap;
        put_text(out, "name", limit.name);
        put(out, "per", std::string{to_string(limit.per)});
        if (limit.kind == LimitPolicy::Kind::concurrency) {
            put(out, "concurrency", limit.concurrency);
        } else if (limit.kind == LimitPolicy::Kind::quota) {
            put(out, "quota", format_quota(limit.quota, limit.quota_period));
        } else {
            put(out, "rate", format_rate(limit.rate_count, in_milliseconds(limit.rate_period)));
            put(out, "burst", limit.burst);
        }
        put(out, "enforce", limit.enforce);
        put(out, "on_outage", text_of(limit.on_outage));
        put(out, "exact", limit.exact);
        out << EndMap;
    }
    out << EndSeq;
}

void put_gateway(YAML::Emitter& out, const GatewaySettings& gateway)
{
    open(out, "gateway");
    put_listen(out, gateway.listen);
    put_url(out, gateway.public_url);
    put(out, "workers", gateway.workers == 0 ? std::string{"auto"} : std::to_string(gateway.workers));
    put_list(out, "trusted_proxies", gateway.trusted_proxies, [](const Network& n) { return n.str(); });
    open(out, "limits");
    put(out, "head_bytes", format_size(gateway.limits.head_bytes));
    put(out, "head_fields", gateway.limits.head_fields);
    put(out, "body_bytes", format_size(gateway.limits.body_bytes));
    put(out, "connections", gateway.limits.connections);
    put(out, "connections_per_ip", gateway.limits.connections_per_ip);
    out << EndMap;
    open(out, "timeouts");
    put_time(out, "head", gateway.timeouts.head);
    put_time(out, "body_idle", gateway.timeouts.body_idle);
    put_time(out, "keep_alive", gateway.timeouts.keep_alive);
    put_time(out, "drain", gateway.timeouts.drain);
    out << EndMap;
    put_list(out, "credentials", gateway.credentials, [](const CredentialSource& s) { return text_of(s); });
    put(out, "strip_credentials", gateway.strip_credentials);
    put(out, "legacy_rate_limit_headers", gateway.legacy_rate_limit_headers);
    const auto rate = [](const LimitPolicy& p) {
        return format_rate(p.rate_count, in_milliseconds(p.rate_period));
    };
    open(out, "failed_attempts");
    put(out, "per_ip", rate(gateway.failed_attempts.per_ip));
    put(out, "per_ip_and_key", rate(gateway.failed_attempts.per_ip_and_key));
    out << EndMap;
    put_list(out, "deny_keys", gateway.deny_keys, [](const KeyId& id) { return id.view(); });
    out << EndMap;
}

void put_admin(YAML::Emitter& out, const AdminSettings& admin)
{
    open(out, "admin");
    put_listen(out, admin.listen);
    put_url(out, admin.public_url);
    if (admin.bootstrap_key)
        put_text(out, "bootstrap_key", k_masked);
    out << EndMap;
}

void put_postgres(YAML::Emitter& out, const PostgresSettings& postgres)
{
    open(out, "postgres");
    put_text(out, "url", postgres.shown_url.empty() ? k_masked : postgres.shown_url);
    if (postgres.password)
        put_text(out, "password", k_masked);
    put(out, "pool", postgres.pool);
    put_time(out, "deadline", postgres.deadline);
    out << EndMap;
}

void put_local_secrets(YAML::Emitter& out, const StoreSettings& stores)
{
    open(out, "local");
    put_text(out, "path", stores.local_secrets);
    if (stores.master_key)
        put_text(out, "master_key", k_masked);
    out << EndMap;
}

void put_vault(YAML::Emitter& out, const VaultSettings& vault)
{
    open(out, "vault");
    put_text(out, "address", (vault.tls ? "https://" : "http://") + authority_of(vault.host, vault.port));
    put_text(out, "mount", vault.mount);
    if (!vault.name_space.empty())
        put_text(out, "namespace", vault.name_space);
    if (!vault.ca_file.empty())
        put_text(out, "ca", vault.ca_file);
    put_time(out, "timeout", vault.timeout);
    open(out, "auth");
    if (vault.approle) {
        open(out, "approle");
        put_text(out, "role_id", vault.approle->role_id);
        put_text(out, "secret_id", k_masked);
        put_text(out, "mount", vault.approle->mount);
        out << EndMap;
    } else {
        put_text(out, "token", k_masked);
    }
    out << EndMap << EndMap;
}

void put_redis(YAML::Emitter& out, const RedisSettings& redis)
{
    const auto address = [](const RedisAddress& server) { return authority_of(server.host, server.port); };
    open(out, "redis");
    put_text(out, "url", (redis.tls ? "rediss://" : "redis://") +
                             (redis.password ? redis.user + ':' + k_masked + '@' : std::string{}) + address(redis.server) +
                             '/' + std::to_string(redis.database));
    put(out, "cluster", redis.cluster);
    if (redis.sentinel) {
        open(out, "sentinel");
        put_text(out, "master", redis.sentinel->master);
        put_list(out, "nodes", redis.sentinel->nodes, address);
        if (redis.sentinel->password)
            put_text(out, "password", k_masked);
        out << EndMap;
    }
    put_time(out, "command_timeout", redis.command_timeout);
    put_time(out, "connect_timeout", redis.connect_timeout);
    if (redis.tls) {
        open(out, "tls");
        if (!redis.ca_file.empty())
            put_text(out, "ca", redis.ca_file);
        if (!redis.certificate.empty()) {
            put_text(out, "certificate", redis.certificate);
            put_text(out, "key", redis.key);
        }
        out << EndMap;
    }
    put_text(out, "key_prefix", redis.key_prefix);
    out << EndMap;
}

void put_stores(YAML::Emitter& out, const StoreSettings& stores)
{
    open(out, "stores");
    open(out, "metadata");
    if (stores.postgres)
        put_postgres(out, *stores.postgres);
    else
        put_text(out, "sqlite", stores.sqlite);
    out << EndMap;
    open(out, "secrets");
    if (stores.vault)
        put_vault(out, *stores.vault);
    else
        put_local_secrets(out, stores);
    out << EndMap;
    open(out, "limits");
    if (stores.redis_limits)
        put_redis(out, *stores.redis_limits);
    else
        out << Key << "memory" << Value << YAML::Flow << BeginMap << EndMap;
    out << EndMap << EndMap;
}

void put_keys(YAML::Emitter& out, const KeySettings& keys)
{
    open(out, "keys");
    put_text(out, "brand", keys.brand);
    put(out, "hash", "bcrypt");
    put(out, "bcrypt_cost", keys.bcrypt_cost);
    put_time(out, "cache_ttl", keys.cache_ttl);
    put(out, "cache_entries", keys.cache_entries);
    put_time(out, "stale_while_unavailable", keys.stale_while_unavailable);
    put(out, "hash_threads", keys.hash_threads);
    put(out, "hash_queue", keys.hash_queue);
    put_time(out, "rotate_after", keys.rotate_after);
    if (keys.max_age)
        put_time(out, "max_age", *keys.max_age);
    out << EndMap;
}

void put_usage_and_log(YAML::Emitter& out, const Settings& settings)
{
    constexpr std::array<const char*, 4> k_levels{"debug", "info", "warn", "error"};
    open(out, "usage");
    put_time(out, "flush", settings.usage.flush);
    open(out, "keep");
    put_time(out, "minutes", settings.usage.keep_minutes);
    put_time(out, "hours", settings.usage.keep_hours);
    put_time(out, "days", settings.usage.keep_days);
    out << EndMap << EndMap;
    open(out, "log");
    put(out, "level", k_levels[static_cast<std::size_t>(settings.log.level)]);
    put_text(out, "access", settings.log.access);
    out << EndMap;
}

void put_upstream(YAML::Emitter& out, const UpstreamSettings& upstream)
{
    open(out, upstream.id.c_str());
    put_list(out, "targets", upstream.targets,
             [](const UpstreamSettings::Target& t) { return "http://" + authority_of(t.host, t.port); });
    open(out, "timeouts");
    put_time(out, "connect", upstream.timeouts.connect);
    put_time(out, "first_byte", upstream.timeouts.first_byte);
    put_time(out, "idle", upstream.timeouts.idle);
    out << EndMap;
    put(out, "keep_alive", upstream.keep_alive);
    put(out, "retries", 0);
    out << EndMap;
}

void put_route(YAML::Emitter& out, const RouteSettings& route)
{
    constexpr std::array<const char*, 3> k_auth{"required", "optional", "none"};
    const auto same = [](const std::string& text) -> const std::string& { return text; };
    out << BeginMap;
    put_text(out, "id", route.id);
    open(out, "match");
    if (!route.host.empty())
        put_text(out, "host", route.host);
    put_text(out, "path", route.path);
    if (!route.methods.empty())
        put_list(out, "methods", route.methods, same);
    out << EndMap;
    put(out, "auth", k_auth[static_cast<std::size_t>(route.auth)]);
    put_list(out, "scopes", route.scopes, same);
    put_list(out, "any_scope", route.any_scope, same);
    put_list(out, "environments", route.environments, [](Environment e) { return to_string(e); });
    put_list(out, "tenants", route.tenants, same);
    if (route.credentials)
        put_list(out, "credentials", *route.credentials,
                 [](const CredentialSource& s) { return text_of(s); });
    if (route.strip_credentials)
        put(out, "strip_credentials", *route.strip_credentials);
    if (route.body_bytes)
        put(out, "body_bytes", format_size(*route.body_bytes));
    put(out, "cost", route.cost);
    put_limits(out, route.limits);
    put_text(out, "upstream", route.upstream);
    out << EndMap;
}

} // namespace

std::string print_settings(const Settings& settings)
{
    YAML::Emitter out;
    out << BeginMap;
    put(out, "version", 1);
    put_gateway(out, settings.gateway);
    put_admin(out, settings.admin);
    put_stores(out, settings.stores);
    put_keys(out, settings.keys);
    put_usage_and_log(out, settings);
    open(out, "scopes");
    for (const auto& [scope, description] : settings.scopes)
        out << Key << YAML::DoubleQuoted << scope << Value << YAML::DoubleQuoted << description;
    out << EndMap;
    open(out, "plans");
    for (const PlanSettings& plan : settings.plans) {
        open(out, plan.id.c_str());
        put_limits(out, plan.limits);
        out << EndMap;
    }
    out << EndMap;
    open(out, "upstreams");
    for (const UpstreamSettings& upstream : settings.upstreams)
        put_upstream(out, upstream);
    out << EndMap;
    out << Key << "routes" << Value << BeginSeq;
    for (const RouteSettings& route : settings.routes)
        put_route(out, route);
    out << EndSeq << EndMap;
    return std::string{out.c_str()} + '\n';
}

} // namespace gw
