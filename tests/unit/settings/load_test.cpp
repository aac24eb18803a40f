// Loading: one case for each kind of mistake, with its exact place.
#include "problems_of.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace gw;
using Lines = std::vector<std::string>;

namespace {

// `body` below a version line: its first line is line 2.
std::string versioned(const std::string& body)
{
    return "version: 1\n" + body;
}

std::string only_problem(const std::string& text)
{
    const Lines lines = load_problems(text);
    INFO(text);
    for (const std::string& line : lines)
        UNSCOPED_INFO(line);
    REQUIRE(lines.size() == 1);
    return lines[0];
}

void check_one(const std::string& body, const std::string& start)
{
    const std::string line = only_problem(versioned(body));
    CHECK_THAT(line, Catch::StartsWith(start));
}

} // namespace

TEST_CASE("load: five different mistakes give five problems with their places", "[settings]")
{
    const std::string text = "version: 1\n"
                             "gateway:\n"
                             "  lisen: [{ address: 0.0.0.0:8080 }]\n"
                             "  timeouts: { head: 10 }\n"
                             "scopes: { \"orders:read\": Read }\n"
                             "upstreams:\n"
                             "  orders: { targets: [http://127.0.0.1:9001] }\n"
                             "routes:\n"
                             "  - id: orders-read\n"
                             "    match: { path: /v1/orders/** }\n"
                             "    scopes: [orders:raed]\n"
                             "    limits: [{ name: orders, rate: 100 }]\n"
                             "    upstream: odrers\n";
    CHECK(
        all_problems(text) ==
        Lines{
            "3:3: gateway.lisen: unknown key; did you mean `listen`?",
            "4:21: gateway.timeouts.head: `10` is not a duration; write a whole number and its unit, such as "
            "250ms, 30s, 5m, 2h or 90d",
            "11:14: routes[0].scopes[0]: `orders:raed` is not declared under `scopes`; did you mean "
            "`orders:read`?",
            "12:36: routes[0].limits[0].rate: `100` is not a rate; write a count and its period, such as "
            "100/s, "
            "60/m or 5/10s",
            "13:15: routes[0].upstream: there is no upstream `odrers`; did you mean `orders`?"});
}

TEST_CASE("load: a version alone gives the defaults of the design", "[settings]")
{
    const Settings settings = settings_of("version: 1\n");
    REQUIRE(settings.gateway.listen.size() == 1);
    CHECK(settings.gateway.listen[0].host == "0.0.0.0");
    CHECK(settings.gateway.listen[0].port == 8080);
    REQUIRE(settings.admin.listen.size() == 1);
    CHECK(settings.admin.listen[0].host == "127.0.0.1");
    CHECK(settings.admin.listen[0].port == 8081);
    CHECK(settings.gateway.workers == 0);
    CHECK(settings.gateway.credentials ==
          std::vector<CredentialSource>{{CredentialSource::Kind::bearer, ""},
                                        {CredentialSource::Kind::header, "X-API-Key"}});
    CHECK(settings.gateway.failed_attempts.per_ip.burst == 60);
    CHECK(settings.gateway.failed_attempts.per_ip.rate_period == std::chrono::minutes{1});
    CHECK(settings.gateway.failed_attempts.per_ip_and_key.burst == 10);
    CHECK(settings.stores.sqlite == "data/portcullis.db");
    CHECK(settings.stores.local_secrets == "data/secrets");
    CHECK_FALSE(settings.stores.master_key.has_value());
    CHECK(settings.keys.rotate_after == std::chrono::days{90});
    CHECK(settings.file == "gateway.yaml");
}

TEST_CASE("load: every value reaches its member", "[settings]")
{
    const Settings settings = settings_of(R"(version: 1
gateway:
  listen: [{ address: "127.0.0.1:0" }, { address: "[::1]:8443" }]
  public_url: https://api.example.com/
  workers: 4
  trusted_proxies: [10.0.0.0/8, "2001:db8::/32"]
  limits: { head_bytes: 8KiB, head_fields: 50, body_bytes: 2GiB, connections: 10, connections_per_ip: 3 }
  timeouts: { head: 250ms, body_idle: 1m, keep_alive: 5s, drain: 0s }
  credentials: [cookie:session]
  strip_credentials: false
  legacy_rate_limit_headers: false
  failed_attempts: { per_ip: 5/10s }
  deny_keys: [4fQz0c9XkT2mB7aP]
admin: { listen: [{ address: "127.0.0.1:9" }], public_url: http://localhost:9 }
stores: { metadata: { sqlite: a.db }, secrets: { local: s }, limits: { memory: {} } }
keys: { brand: acme1, bcrypt_cost: 12, hash: bcrypt, cache_ttl: 1m, cache_entries: 7, stale_while_unavailable: 0s, hash_threads: 2, hash_queue: 9, rotate_after: 30d, max_age: 365d }
usage: { flush: 500ms, keep: { minutes: 1h, hours: 2d, days: 3d } }
log: { level: debug, access: "off" }
)");
    const GatewaySettings& gateway = settings.gateway;
    REQUIRE(gateway.listen.size() == 2);
    CHECK(gateway.listen[0].port == 0);
    CHECK(gateway.listen[1].host == "::1");
    CHECK(gateway.public_url == "https://api.example.com");
    CHECK(gateway.workers == 4);
    CHECK(gateway.trusted_proxies.size() == 2);
    CHECK(gateway.limits.head_bytes == 8192);
    CHECK(gateway.limits.head_fields == 50);
    CHECK(gateway.limits.body_bytes == 2147483648u);
    CHECK(gateway.limits.connections == 10);
    CHECK(gateway.limits.connections_per_ip == 3);
    CHECK(gateway.timeouts.head == std::chrono::milliseconds{250});
    CHECK(gateway.timeouts.body_idle == std::chrono::minutes{1});
    CHECK(gateway.timeouts.keep_alive == std::chrono::seconds{5});
    CHECK(gateway.timeouts.drain == std::chrono::seconds{0});
    CHECK(gateway.credentials == std::vector<CredentialSource>{{CredentialSource::Kind::cookie, "session"}});
    CHECK_FALSE(gateway.strip_credentials);
    CHECK_FALSE(gateway.legacy_rate_limit_headers);
    CHECK(gateway.failed_attempts.per_ip.burst == 5);
    CHECK(gateway.failed_attempts.per_ip.per == CountedPer::ip);
    REQUIRE(gateway.deny_keys.size() == 1);
    CHECK(settings.admin.listen[0].port == 9);
    CHECK(settings.admin.public_url == "http://localhost:9");
    CHECK(settings.stores.sqlite == "a.db");
    CHECK(settings.stores.local_secrets == "s");
    CHECK(settings.keys.brand == "acme1");
    CHECK(settings.keys.bcrypt_cost == 12);
    CHECK(settings.keys.cache_ttl == std::chrono::minutes{1});
    CHECK(settings.keys.cache_entries == 7);
    CHECK(settings.keys.stale_while_unavailable == std::chrono::seconds{0});
    CHECK(settings.keys.hash_threads == 2);
    CHECK(settings.keys.hash_queue == 9);
    CHECK(settings.keys.rotate_after == std::chrono::days{30});
    CHECK(settings.keys.max_age == std::chrono::seconds{std::chrono::days{365}});
    CHECK(settings.usage.flush == std::chrono::milliseconds{500});
    CHECK(settings.usage.keep_minutes == std::chrono::hours{1});
    CHECK(settings.usage.keep_hours == std::chrono::days{2});
    CHECK(settings.usage.keep_days == std::chrono::days{3});
    CHECK(settings.log.level == LogSettings::Level::debug);
    CHECK(settings.log.access == "off");
}

TEST_CASE("load: a mistake in the general sections is told at its place", "[settings]")
{
    auto [body, start] = GENERATE(table<std::string, std::string>({
        // keys
        {"nonsense: 1\n", "2:1: nonsense: unknown key"},
        {"gatway: {}\n", "2:1: gatway: unknown key; did you mean `gateway`?"},
        {"gateway: { workers: 2, workers: 3 }\n", "2:24: gateway.workers: stands twice; first on line 2"},
        {"log: {}\nlog: {}\n", "3:1: log: stands twice; first on line 2"},
        {"log: &l { level: info }\nusage: { <<: *l }\n", "3:10: usage.<<: unknown key"},
        // of later versions
        {"include: conf.d\n", "2:1: include: not built yet in this version"},
        {"cluster: {}\n", "2:1: cluster: not built yet"},
        {"gateway: { listen: [{ address: \"0.0.0.0:1\", tls: {} }] }\n",
         "2:45: gateway.listen[0].tls: not built yet"},
        {"stores: { secrets: { vault: {} } }\n", "2:22: stores.secrets.vault: not built yet"},
        {"stores: { limits: { redis: {} } }\n", "2:21: stores.limits.redis: not built yet"},
        {"keys: { hash: hmac-sha256 }\n", "2:15: keys.hash: hmac-sha256 is not built yet"},
        {"log: { access: \"${vault:a#b}\" }\n", "2:16: log.access: references to a Vault"},
        // kinds of nodes
        {"gateway: [1]\n", "2:10: gateway: expected a mapping, found a list"},
        {"gateway: text\n", "2:10: gateway: expected a mapping, found a single value"},
        {"gateway:\n", "2:1: gateway: has no value"},
        {"gateway: { listen: 0.0.0.0:80 }\n", "2:20: gateway.listen: expected a list, found a single value"},
        {"gateway: { listen: [\"0.0.0.0:80\"] }\n",
         "2:21: gateway.listen[0]: expected a mapping, found a single"},
        {"keys: { brand: [pc] }\n", "2:16: keys.brand: expected a single value, found a list"},
        // units and ranges
        {"gateway: { timeouts: { drain: 30 } }\n",
         "2:31: gateway.timeouts.drain: `30` is not a duration; write"},
        {"gateway: { timeouts: { head: 1ms } }\n",
         "2:30: gateway.timeouts.head: `1ms` is out of range: from 100ms to 10m"},
        {"keys: { cache_ttl: 1500ms }\n", "2:20: keys.cache_ttl: `1500ms` is finer than"},
        {"gateway: { limits: { head_bytes: 16384 } }\n",
         "2:34: gateway.limits.head_bytes: `16384` is not a size; write"},
        {"gateway: { limits: { head_bytes: 512B } }\n",
         "2:34: gateway.limits.head_bytes: `512B` is out of range: from 1KiB to 1MiB"},
        {"gateway: { limits: { head_bytes: 2MiB } }\n",
         "2:34: gateway.limits.head_bytes: `2MiB` is out of range"},
        {"gateway: { limits: { body_bytes: 2TiB } }\n",
         "2:34: gateway.limits.body_bytes: `2TiB` is out of range: from 0B to 1TiB"},
        {"gateway: { limits: { connections: many } }\n",
         "2:35: gateway.limits.connections: `many` is not a whole number from 1 to 1000000"},
        {"keys: { bcrypt_cost: 3 }\n", "2:22: keys.bcrypt_cost: `3` is not a whole number from 4 to 16"},
        {"keys: { bcrypt_cost: 17 }\n", "2:22: keys.bcrypt_cost: `17`"},
        {"keys: { hash_threads: -1 }\n", "2:23: keys.hash_threads: `-1` is not a whole number"},
        {"gateway: { failed_attempts: { per_ip: 60 } }\n",
         "2:39: gateway.failed_attempts.per_ip: `60` is not a rate; write"},
        {"gateway: { workers: 0 }\n", "2:21: gateway.workers: `0` is not a whole number from 1 to 256"},
        // forms of their own
        {"gateway: { strip_credentials: yes }\n",
         "2:31: gateway.strip_credentials: `yes` is neither true nor false"},
        {"keys: { brand: Acme }\n", "2:16: keys.brand: `Acme` is not a brand"},
        {"keys: { brand: p }\n", "2:16: keys.brand: `p` is not a brand"},
        {"keys: { hash: md5 }\n", "2:15: keys.hash: `md5` is not a hash for keys; write bcrypt"},
        {"log: { level: wran }\n",
         "2:15: log.level: `wran` is not one of debug, info, warn or error; did you mean `warn`?"},
        {"gateway: { public_url: api.example.com }\n",
         "2:24: gateway.public_url: `api.example.com` is not the start of a URL"},
        {"gateway: { public_url: \"https://a/b\" }\n",
         "2:24: gateway.public_url: `https://a/b` is not the start"},
        {"gateway: { trusted_proxies: [10.0.0.1/8] }\n",
         "2:30: gateway.trusted_proxies[0]: `10.0.0.1/8` is not a network"},
        {"gateway: { deny_keys: [short] }\n", "2:24: gateway.deny_keys[0]: not a key_id"},
        {"gateway: { listen: [] }\n", "2:20: gateway.listen: needs an address"},
        {"gateway: { listen: [{}] }\n",
         "2:21: gateway.listen[0].address: missing; write `address: 0.0.0.0:8080`"},
        {"gateway: { listen: [{ address: \"localhost:80\" }] }\n",
         "2:32: gateway.listen[0].address: `localhost:80` is not an IP address and a port, such as "
         "0.0.0.0:8080 or [::]:8080; did you mean `127.0.0.1:80`?"},
        {"gateway: { listen: [{ address: \":80\" }] }\n",
         "2:32: gateway.listen[0].address: `:80` is not an IP address and a port, such as 0.0.0.0:8080 or "
         "[::]:8080; did you mean `0.0.0.0:80`?"},
        {"gateway: { listen: [{ address: \"::1:80\" }] }\n",
         "2:32: gateway.listen[0].address: `::1:80` is not"},
        {"gateway: { listen: [{ address: \"127.0.0.1:65536\" }] }\n",
         "2:32: gateway.listen[0].address: `127.0.0.1:65536` is not"},
        {"gateway: { credentials: [baerer] }\n",
         "2:26: gateway.credentials[0]: `baerer` is not one of bearer, header:NAME, query:NAME or "
         "cookie:NAME; did you mean `bearer`?"},
        {"gateway: { credentials: [\"header:\"] }\n", "2:26: gateway.credentials[0]: `header:` needs a name"},
        {"gateway: { credentials: [header:Authorization] }\n",
         "2:26: gateway.credentials[0]: `header:Authorization`: this field has another meaning; did you mean "
         "`bearer`?"},
        {"gateway: { credentials: [header:X-Gateway-Key-Id] }\n",
         "2:26: gateway.credentials[0]: `header:X-Gateway-Key-Id`: this field has"},
        {"stores: { metadata: {} }\n", "2:21: stores.metadata: names no store"},
        {"stores: { metadata: { sqlite: \"\" } }\n", "2:31: stores.metadata.sqlite: must not be empty"},
        {"stores: { limits: { memory: { size: 1 } } }\n", "2:31: stores.limits.memory.size: unknown key"},
    }));
    INFO(body);
    check_one(body, start);
}

TEST_CASE("load: a version is needed, and 1 is the only one", "[settings]")
{
    CHECK(only_problem("log: {}\n") == "1:1: version: missing; write `version: 1`");
    CHECK(only_problem("") == "1:1: version: missing; write `version: 1`");
    CHECK(only_problem("version: 2\n") == "1:10: version: `2` is not a version that is known; write 1");
}

TEST_CASE("load: a syntax error is the one problem, at its place", "[settings]")
{
    CHECK_THAT(only_problem("version: 1\ngateway: { workers: 2\nlog: {}\n"), Catch::Contains("YAML syntax"));
    CHECK_THAT(only_problem("- a\n- b\n"), Catch::StartsWith("1:1: expected a mapping, found a list"));
    CHECK(lines_of(validated(load_settings_text("version: [\n", "x")).problems).size() == 1);
}

TEST_CASE("load: a value with a reference is read as if it stood there", "[settings]")
{
    ::setenv("GW_TEST_PORT", "9100", 1);
    ::setenv("GW_TEST_WORKERS", "3", 1);
    const Settings settings = settings_of("version: 1\n"
                                          "gateway:\n"
                                          "  workers: ${env:GW_TEST_WORKERS}\n"
                                          "  listen: [{ address: \"127.0.0.1:${env:GW_TEST_PORT}\" }]\n");
    CHECK(settings.gateway.workers == 3);
    CHECK(settings.gateway.listen[0].port == 9100);
}

TEST_CASE("load: a message shows the reference and never its value", "[settings]")
{
    ::setenv("GW_TEST_VALUE", "hunter2hunter2", 1);
    const std::string line = only_problem("version: 1\nkeys:\n  brand: ${env:GW_TEST_VALUE}\n");
    CHECK_THAT(line, Catch::StartsWith("3:10: keys.brand: `${env:GW_TEST_VALUE}` is not a brand"));
    CHECK_THAT(line, !Catch::Contains("hunter2"));
}

TEST_CASE("load: a reference that leads nowhere is told at its place", "[settings]")
{
    ::unsetenv("GW_TEST_UNSET");
    CHECK(only_problem("version: 1\nlog:\n  access: ${env:GW_TEST_UNSET}\n") ==
          "3:11: log.access: the environment variable GW_TEST_UNSET is not set");
}

TEST_CASE("load: secrets are references and nothing else", "[settings]")
{
    const std::string hex(64, 'a');
    const Lines lines = load_problems("version: 1\n"
                                      "admin: { bootstrap_key: 0123456789abcdef0123456789abcdef }\n"
                                      "stores: { secrets: { local: { master_key: \"" +
                                      hex + "\" } } }\n");
    REQUIRE(lines.size() == 2);
    CHECK(lines[0] ==
          "2:25: admin.bootstrap_key: a secret must not stand in the file; write a reference, ${env:NAME} "
          "or ${file:PATH}");
    CHECK_THAT(lines[1], Catch::StartsWith("3:43: stores.secrets.local.master_key: a secret must not"));
    CHECK_THAT(lines[0] + lines[1], !Catch::Contains("0123456789abcdef") && !Catch::Contains(hex));
}

TEST_CASE("load: a secret that is no proper one is refused without being shown", "[settings]")
{
    ::setenv("GW_TEST_SECRET", "short-secret", 1);
    ::setenv("GW_TEST_EMPTY", "", 1);
    const std::string bootstrap =
        only_problem("version: 1\nadmin:\n  bootstrap_key: ${env:GW_TEST_SECRET}\n");
    CHECK_THAT(bootstrap, Catch::StartsWith("3:18: admin.bootstrap_key: must have at least 32 characters"));
    const std::string master = only_problem(
        "version: 1\nstores:\n  secrets:\n    local:\n      master_key: ${env:GW_TEST_SECRET}\n");
    CHECK_THAT(master,
               Catch::StartsWith("5:19: stores.secrets.local.master_key: must be 64 hexadecimal digits"));
    CHECK_THAT(bootstrap + master, !Catch::Contains("short-secret"));
    CHECK(only_problem("version: 1\nadmin:\n  bootstrap_key: ${env:GW_TEST_EMPTY}\n") ==
          "3:18: admin.bootstrap_key: `${env:GW_TEST_EMPTY}` resolves to nothing");
}

TEST_CASE("load: a file's references start at its own directory, and its stores where the process works",
          "[settings]")
{
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("portcullis-load-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    std::ofstream{folder / "master.hex"} << std::string(64, 'b') << '\n';
    std::ofstream{folder / "gateway.yaml"} << "version: 1\nstores:\n  secrets:\n    local: { path: sealed, "
                                              "master_key: \"${file:master.hex}\" }\n";
    const Loaded loaded = load_settings_file((folder / "gateway.yaml").string());
    std::filesystem::remove_all(folder);

    CHECK(lines_of(loaded.problems) == Lines{});
    CHECK(loaded.settings.stores.local_secrets == "sealed");
    REQUIRE(loaded.settings.stores.master_key.has_value());
    CHECK(loaded.settings.stores.master_key->reveal() == std::string(64, 'b'));
}

TEST_CASE("load: a file that cannot be read is a problem", "[settings]")
{
    const Loaded missing = load_settings_file("/nonexistent/gateway.yaml");
    REQUIRE(missing.problems.size() == 1);
    CHECK(missing.problems[0].str("/nonexistent/gateway.yaml") ==
          "/nonexistent/gateway.yaml: there is no such file");
    CHECK_FALSE(missing.ok());
    CHECK_FALSE(load_settings_file("/").ok());
}

TEST_CASE("load: a wrong value leaves the default", "[settings]")
{
    const Loaded loaded = load_settings_text("version: 1\nkeys: { bcrypt_cost: 99, brand: A }\n", "x");
    CHECK_FALSE(loaded.ok());
    CHECK(loaded.settings.keys.bcrypt_cost == 10);
    CHECK(loaded.settings.keys.brand == "pc");
}

TEST_CASE("load: null stands for unset where unset means something", "[settings]")
{
    const Settings settings = settings_of("version: 1\ngateway: { public_url: null }\nkeys: { max_age: ~ }\n"
                                          "admin:\n  bootstrap_key:\n");
    CHECK(settings.gateway.public_url.empty());
    CHECK_FALSE(settings.keys.max_age.has_value());
    CHECK_FALSE(settings.admin.bootstrap_key.has_value());
}

TEST_CASE("load: where a value stood can be asked later", "[settings]")
{
    const Settings settings = settings_of("version: 1\nkeys:\n  brand: ab\n");
    CHECK(settings.mark_of("keys.brand") == SourceMark{3, 10});
    CHECK(settings.mark_of("keys.bcrypt_cost") == SourceMark{3, 3}); // of what encloses it
    CHECK(settings.mark_of("routes[0].id") == SourceMark{});
}
