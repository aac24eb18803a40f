// The configuration as plain structs with their defaults (DESIGN.md section 3). Loading, defaulting and
// validating are separate steps (settings/load, settings/validate); running code sees only these.
#pragma once

#include "domain/api_key.hpp"
#include "domain/limit_policy.hpp"
#include "domain/network.hpp"
#include "domain/secret.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Where in the file a value stood: 1-based; 0 if it was not in the file.
struct SourceMark {
    int line = 0, column = 0;
    friend auto operator<=>(const SourceMark&, const SourceMark&) = default;
};

struct ListenAddress {
    std::string host = "0.0.0.0"; // an IP literal
    std::uint16_t port = 0;       // 0: any free port (tests)
    SourceMark mark;
};

struct Limits {
    std::uint64_t head_bytes = 16 * 1024;
    std::uint32_t head_fields = 100;
    std::uint64_t body_bytes = 100ull * 1024 * 1024;
    std::uint32_t connections = 20000;
    std::uint32_t connections_per_ip = 0; // 0: unlimited
};

struct Timeouts {
    milliseconds head = seconds{10};       // from the first byte of a head to its last
    milliseconds body_idle = seconds{30};  // without progress of a body, either way
    milliseconds keep_alive = seconds{75}; // an idle client connection
    milliseconds drain = seconds{30};      // from SIGTERM to the end, at most
};

struct CredentialSource {
    enum class Kind : std::uint8_t { bearer, header, query, cookie };
    Kind kind = Kind::bearer;
    std::string name; // of the header, query parameter or cookie
    friend bool operator==(const CredentialSource&, const CredentialSource&) = default;
};

struct FailedAttemptLimits {
    LimitPolicy per_ip, per_ip_and_key; // buckets; burst = the rate's count
};

struct GatewaySettings {
    std::vector<ListenAddress> listen;
    std::string public_url; // empty: http://<first listen address>
    unsigned workers = 0;   // 0: auto, one per core
    std::vector<Network> trusted_proxies;
    Limits limits;
    Timeouts timeouts;
    std::vector<CredentialSource> credentials;
    bool strip_credentials = true;
    bool legacy_rate_limit_headers = true; // X-RateLimit-*
    FailedAttemptLimits failed_attempts;
    std::vector<KeyId> deny_keys;
};

struct AdminSettings {
    std::vector<ListenAddress> listen;
    std::string public_url;
    // A management key from the environment or a file, for automation before any user exists.
    // Empty: one is made at the first start and kept in a 0600 file beside the stores.
    std::optional<Secret> bootstrap_key;
};

struct PostgresSettings {
    Secret url;                     // postgresql://USER@HOST:PORT/DATABASE?PARAMETER=VALUE
    std::optional<Secret> password; // goes before one in the url
    unsigned pool = 8;              // connections of this process, and one more that listens
    milliseconds deadline = seconds{2};
    std::string shown_url; // what printing shows: empty if the url came from a reference
};

// HashiCorp Vault or OpenBao, a key-value engine of version 2.
struct VaultSettings {
    bool tls = true;
    std::string host; // a name or an IP literal
    std::uint16_t port = 443;
    std::string mount = "secret";
    std::string name_space; // empty: the root's
    std::string ca_file;    // PEM; empty: what the system trusts
    milliseconds timeout = seconds{2}; // of a whole call
    struct AppRole {
        std::string role_id;
        Secret secret_id;
        std::string mount = "approle";
    };
    std::optional<AppRole> approle; // one of these two
    std::optional<Secret> token;
};

struct RedisAddress {
    std::string host; // a name or an IP literal
    std::uint16_t port = 6379;
};

// Redis or Valkey: one server, the primary that sentinels name, or a cluster.
struct RedisSettings {
    RedisAddress server; // of the url; with sentinels, who name the server, it is not used
    bool tls = false;
    std::string user;               // empty: the default user
    std::optional<Secret> password; // none: no authentication
    unsigned database = 0;
    bool cluster = false;
    struct Sentinel {
        std::string master; // the name that they know the primary by
        std::vector<RedisAddress> nodes;
        std::optional<Secret> password; // of the sentinels
    };
    std::optional<Sentinel> sentinel;
    milliseconds command_timeout{20};
    milliseconds connect_timeout = seconds{1};
    std::string ca_file;          // PEM; empty: what the system trusts
    std::string certificate, key; // PEM files with which the gateway authenticates itself; empty: it does not
    std::string key_prefix = "portcullis";
};

struct StoreSettings {
    // One of the two.
    std::string sqlite = "data/portcullis.db";
    std::optional<PostgresSettings> postgres;
    std::string local_secrets = "data/secrets";
    // The master key of the sealed store, 64 hex digits; empty: <local_secrets>.key, made at the first start.
    std::optional<Secret> master_key;
    // Instead of the sealed store, which then holds verified digests only.
    std::optional<VaultSettings> vault;
    // Limits and verified digests that a fleet shares; empty: limits in memory.
    std::optional<RedisSettings> redis_limits;
};

struct KeySettings {
    std::string brand = "pc";
    int bcrypt_cost = 10;
    seconds cache_ttl = seconds{300};
    std::uint64_t cache_entries = 1'000'000;
    seconds stale_while_unavailable = seconds{600};
    unsigned hash_threads = 1;
    unsigned hash_queue = 256;
    seconds rotate_after = std::chrono::days{90};
    std::optional<seconds> max_age;
};

struct UsageSettings {
    milliseconds flush = seconds{2};
    seconds keep_minutes = std::chrono::hours{48};
    seconds keep_hours = std::chrono::days{90};
    seconds keep_days = std::chrono::days{730};
};

struct LogSettings {
    enum class Level : std::uint8_t { debug, info, warn, error };
    Level level = Level::info;
    std::string access = "stdout"; // stdout, off, or a file's path
};

struct PlanSettings {
    std::string id;
    std::vector<LimitPolicy> limits;
};

struct UpstreamTimeouts {
    milliseconds connect = seconds{1};
    milliseconds first_byte = seconds{30};
    milliseconds idle = seconds{30};
};

struct UpstreamSettings {
    std::string id;
    struct Target {
        std::string host; // an IP literal or a name
        std::uint16_t port = 80;
        SourceMark mark;
    };
    std::vector<Target> targets; // exactly one for now
    UpstreamTimeouts timeouts;
    unsigned keep_alive = 64; // idle connections kept per worker
};

enum class AuthMode : std::uint8_t { required, optional, none };

struct RouteSettings {
    std::string id;
    std::string host;                 // empty: any; may start with "*."
    std::string path;                 // "/v1/orders/**"
    std::vector<std::string> methods; // empty: any
    AuthMode auth = AuthMode::required;
    std::vector<std::string> scopes;    // all are needed
    std::vector<std::string> any_scope; // one is needed; empty: none asked for
    std::vector<Environment> environments{Environment::live};
    std::vector<std::string> tenants; // empty: any
    std::vector<LimitPolicy> limits;
    std::uint64_t cost = 1;
    std::optional<std::vector<CredentialSource>> credentials;
    std::optional<bool> strip_credentials;
    std::optional<std::uint64_t> body_bytes;
    std::string upstream;
    SourceMark mark;
};

struct Settings {
    std::string file;
    GatewaySettings gateway;
    AdminSettings admin;
    StoreSettings stores;
    KeySettings keys;
    UsageSettings usage;
    LogSettings log;
    std::map<std::string, std::string> scopes; // scope -> description
    std::vector<PlanSettings> plans;
    std::vector<UpstreamSettings> upstreams;
    std::vector<RouteSettings> routes;

    // Where each value stood in the file, by its path ("routes[2].limits[0].rate"); for messages only.
    std::map<std::string, SourceMark, std::less<>> marks;
    // The mark of `path`, or of the closest that encloses it; 0:0 if nothing of it stood in the file.
    SourceMark mark_of(std::string_view path) const;
};

// What is wrong with a configuration, and where.
struct Problem {
    enum class Severity : std::uint8_t { error, warning };
    Severity severity = Severity::error;
    SourceMark mark;
    std::string path;    // "routes[2].limits[0].rate"
    std::string message; // what is wrong and what would be right

    std::string str(const std::string& file) const; // "gateway.yaml:12:7: routes[2]...: message"
    friend bool operator==(const Problem&, const Problem&) = default;
};

} // namespace gw
