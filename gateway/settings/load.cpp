// Loading: the sections in the order of DESIGN.md section 3. The one place that knows the defaults which are
// not a member's initialiser.
#include "settings/load.hpp"

#include "settings/load_fields.hpp"
#include "settings/load_limits.hpp"
#include "settings/load_postgres.hpp"
#include "settings/load_routes.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace gw {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::uint64_t k_kibibyte = 1024, k_mebibyte = 1024 * k_kibibyte,
                        k_tebibyte = k_mebibyte * k_mebibyte;
constexpr std::uint64_t k_max_file_bytes = 16 * k_mebibyte;

constexpr Choices<LogSettings::Level, 4> k_levels{{{"debug", LogSettings::Level::debug},
                                                   {"info", LogSettings::Level::info},
                                                   {"warn", LogSettings::Level::warn},
                                                   {"error", LogSettings::Level::error}}};

void read_listen(const Mapping& owner, std::vector<ListenAddress>& out)
{
    const auto list = owner.find("listen");
    const auto items = list ? read_list(*list) : std::nullopt;
    if (!items)
        return;
    if (items->empty())
        list->error("needs an address, such as { address: 0.0.0.0:8080 }");
    out.clear();
    for (const Value& item : *items) {
        const Mapping listen{item};
        if (const auto address = listen.require("address", "address: 0.0.0.0:8080"))
            if (auto read = read_listen_address(*address))
                out.push_back(std::move(*read));
    }
}

void read_url(const Mapping& owner, std::string& out)
{
    if (const auto url = owner.find("public_url", Mapping::Null::as_absent))
        out = read_public_url(*url).value_or("");
}

void read_limits_of_requests(const Mapping& limits, Limits& out)
{
    limits.size("head_bytes", out.head_bytes, k_kibibyte, k_mebibyte);
    limits.number("head_fields", out.head_fields, 1, 1000);
    limits.size("body_bytes", out.body_bytes, 0, k_tebibyte);
    limits.number("connections", out.connections, 1, 1'000'000);
    limits.number("connections_per_ip", out.connections_per_ip, 0, 1'000'000);
}

void read_timeouts(const Mapping& timeouts, Timeouts& out)
{
    timeouts.duration("head", out.head, milliseconds{100}, minutes{10});
    timeouts.duration("body_idle", out.body_idle, milliseconds{100}, hours{1});
    timeouts.duration("keep_alive", out.keep_alive, milliseconds{100}, hours{1});
    timeouts.duration("drain", out.drain, milliseconds{0}, hours{1});
}

std::optional<Network> read_network(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    auto network = Network::parse(text->value);
    if (!network)
        value.error(text->shown +
                    " is not a network, such as 10.0.0.0/8 or 2001:db8::/32 (no host bits set)");
    return network;
}

std::optional<KeyId> read_key_id(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    auto id = KeyId::parse(text->value);
    if (!id)
        value.error("not a key_id: 16 characters of [0-9A-Za-z], as in the middle of pc_live_<key_id>...");
    return id;
}

void read_workers(const Mapping& gateway, unsigned& out)
{
    const auto value = gateway.find("workers");
    const auto text = value ? read_text(*value) : std::nullopt;
    if (text && text->value == "auto")
        out = 0;
    else if (text)
        out = static_cast<unsigned>(read_number(*value, 1, 256).value_or(0));
}

void read_gateway(const Mapping& gateway, GatewaySettings& out)
{
    read_listen(gateway, out.listen);
    read_url(gateway, out.public_url);
    read_workers(gateway, out.workers);
    if (const auto proxies = gateway.find("trusted_proxies"))
        out.trusted_proxies = read_items<Network>(*proxies, read_network);
    read_limits_of_requests(gateway.mapping("limits"), out.limits);
    read_timeouts(gateway.mapping("timeouts"), out.timeouts);
    if (const auto sources = gateway.find("credentials"))
        out.credentials = read_items<CredentialSource>(*sources, read_credential_source);
    gateway.flag("strip_credentials", out.strip_credentials);
    gateway.flag("legacy_rate_limit_headers", out.legacy_rate_limit_headers);
    const Mapping failed = gateway.mapping("failed_attempts");
    read_bucket(failed, "per_ip", out.failed_attempts.per_ip);
    read_bucket(failed, "per_ip_and_key", out.failed_attempts.per_ip_and_key);
    if (const auto denied = gateway.find("deny_keys"))
        out.deny_keys = read_items<KeyId>(*denied, read_key_id);
}

void read_admin(const Mapping& admin, AdminSettings& out)
{
    constexpr std::size_t k_least_length = 32;
    read_listen(admin, out.listen);
    read_url(admin, out.public_url);
    const auto key = admin.find("bootstrap_key", Mapping::Null::as_absent);
    auto secret = key ? read_secret(*key) : std::nullopt;
    if (!secret)
        return;
    const std::string_view text = secret->reveal();
    const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (text.size() < k_least_length || !visible)
        key->error(
            "must have at least 32 characters, all of them visible ASCII; `openssl rand -hex 32` makes one");
    else
        out.bootstrap_key = std::move(secret);
}

void read_master_key(const Mapping& local, std::optional<Secret>& out)
{
    const auto key = local.find("master_key", Mapping::Null::as_absent);
    auto secret = key ? read_secret(*key) : std::nullopt;
    if (!secret)
        return;
    if (secret->reveal().size() == 64 && from_hex(secret->reveal()))
        out = std::move(secret);
    else
        key->error("must be 64 hexadecimal digits; `openssl rand -hex 32` makes one");
}

// Each store names one technology; a section that is missing keeps its default.
Mapping read_store(const Mapping& stores, std::string_view name, std::string_view example)
{
    Mapping store = stores.mapping(name);
    if (store.is_present() && store.value().node->entries.empty())
        store.value().error("names no store; write " + std::string{example});
    return store;
}

void read_metadata(const Mapping& stores, StoreSettings& out)
{
    const Mapping metadata = read_store(stores, "metadata", "{ sqlite: data/portcullis.db }");
    const auto postgres = metadata.find("postgres");
    if (postgres && metadata.find("sqlite"))
        postgres->error_at_key("stands beside sqlite; metadata is kept in one store: remove one of them");
    metadata.text("sqlite", out.sqlite);
    if (postgres)
        out.postgres = read_postgres(*postgres);
}

void read_stores(const Mapping& stores, StoreSettings& out)
{
    read_metadata(stores, out);

    const Mapping secrets = read_store(stores, "secrets", "{ local: data/secrets }");
    if (const auto local = secrets.find("local")) {
        if (local->node->kind == YamlNode::Kind::scalar) {
            secrets.text("local", out.local_secrets);
        } else {
            const Mapping parts{*local};
            parts.text("path", out.local_secrets);
            read_master_key(parts, out.master_key);
        }
    }
    (void)read_store(stores, "limits", "{ memory: {} }").mapping("memory");
}

void read_keys(const Mapping& keys, KeySettings& out)
{
    const auto brand = keys.find("brand");
    if (auto text = brand ? read_text(*brand) : std::nullopt) {
        const bool valid = text->value.size() >= 2 && text->value.size() <= 8 &&
                           std::all_of(text->value.begin(), text->value.end(), [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                           });
        if (valid)
            out.brand = std::move(text->value);
        else
            brand->error(text->shown + " is not a brand: 2 to 8 lower-case letters or digits");
    }
    const auto hash = keys.find("hash");
    if (const auto text = hash ? read_text(*hash) : std::nullopt; text && text->value == "hmac-sha256")
        hash->error("hmac-sha256 is not built yet in this version; write bcrypt");
    else if (text && text->value != "bcrypt")
        hash->error(text->shown + " is not a hash for keys; write bcrypt");
    keys.number("bcrypt_cost", out.bcrypt_cost, 4, 16);
    keys.duration("cache_ttl", out.cache_ttl, seconds{1}, hours{24});
    keys.number("cache_entries", out.cache_entries, 1, 100'000'000);
    keys.duration("stale_while_unavailable", out.stale_while_unavailable, seconds{0}, days{7});
    keys.number("hash_threads", out.hash_threads, 1, 64);
    keys.number("hash_queue", out.hash_queue, 1, 65'536);
    keys.duration("rotate_after", out.rotate_after, seconds{1}, days{3650});
    if (keys.find("max_age", Mapping::Null::as_absent)) {
        seconds age{0};
        keys.duration("max_age", age, seconds{1}, days{3650});
        if (age > seconds{0})
            out.max_age = age;
    }
}

void read_usage(const Mapping& usage, UsageSettings& out)
{
    usage.duration("flush", out.flush, milliseconds{100}, minutes{1});
    const Mapping keep = usage.mapping("keep");
    keep.duration("minutes", out.keep_minutes, hours{1}, days{3650});
    keep.duration("hours", out.keep_hours, days{1}, days{3650});
    keep.duration("days", out.keep_days, days{1}, days{3650});
}

void read_log(const Mapping& log, LogSettings& out)
{
    log.choice("level", out.level, k_levels);
    log.text("access", out.access);
}

void read_version(const Mapping& root)
{
    const auto version = root.require("version", "version: 1");
    const auto text = version ? read_text(*version) : std::nullopt;
    if (text && text->value != "1")
        version->error(text->shown + " is not a version that is known; write 1");
}

void read_root(const Mapping& root, Settings& settings)
{
    read_version(root);
    read_gateway(root.mapping("gateway"), settings.gateway);
    read_admin(root.mapping("admin"), settings.admin);
    read_stores(root.mapping("stores"), settings.stores);
    read_keys(root.mapping("keys"), settings.keys);
    read_usage(root.mapping("usage"), settings.usage);
    read_log(root.mapping("log"), settings.log);
    read_scopes(root, settings);
    read_plans(root, settings);
    read_upstreams(root, settings);
    read_routes(root, settings);
}

Loaded unreadable(const std::string& path, std::string why)
{
    Loaded loaded{default_settings(), {}};
    loaded.settings.file = path;
    loaded.problems.push_back({Problem::Severity::error, {}, {}, std::move(why)});
    return loaded;
}

} // namespace

bool Loaded::ok() const noexcept
{
    return std::none_of(problems.begin(), problems.end(),
                        [](const Problem& p) { return p.severity == Problem::Severity::error; });
}

void sort_problems(std::vector<Problem>& problems)
{
    std::stable_sort(problems.begin(), problems.end(),
                     [](const Problem& a, const Problem& b) { return a.mark < b.mark; });
}

Settings default_settings()
{
    Settings settings;
    settings.gateway.listen.push_back({"0.0.0.0", 8080, {}});
    settings.gateway.credentials = {{CredentialSource::Kind::bearer, {}},
                                    {CredentialSource::Kind::header, "X-API-Key"}};
    settings.gateway.failed_attempts.per_ip = bucket_of("failed_per_ip", CountedPer::ip, 60, minutes{1});
    settings.gateway.failed_attempts.per_ip_and_key =
        bucket_of("failed_per_ip_and_key", CountedPer::ip, 10, minutes{1});
    settings.admin.listen.push_back({"127.0.0.1", 8081, {}});
    return settings;
}

Loaded load_settings_text(const std::string& text, const std::string& file_name)
{
    Loading loading;
    loading.directory = std::filesystem::path{file_name}.parent_path().string();
    const YamlNode tree = parse_yaml(text, loading.problems);

    Settings settings = default_settings();
    settings.file = file_name;
    const bool broken = tree.kind == YamlNode::Kind::null && !loading.problems.empty();
    if (!broken) {
        static const YamlNode k_empty{YamlNode::Kind::mapping, {1, 1}, {}, {}, {}};
        const YamlNode& root = tree.kind == YamlNode::Kind::null ? k_empty : tree;
        read_root(Mapping{Value{&loading, &root, root.mark, {}, {}, root.mark}}, settings);
    }
    settings.marks = std::move(loading.marks);
    sort_problems(loading.problems);
    return {std::move(settings), std::move(loading.problems)};
}

Loaded load_settings_file(const std::string& path)
{
    std::error_code failed;
    if (!std::filesystem::is_regular_file(path, failed))
        return unreadable(path, "there is no such file");
    if (std::filesystem::file_size(path, failed) > k_max_file_bytes)
        return unreadable(path, "larger than 16 MiB");
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    if (!in.is_open() || in.bad())
        return unreadable(path, "cannot be read; check its permissions");
    return load_settings_text(text.str(), path);
}

} // namespace gw
