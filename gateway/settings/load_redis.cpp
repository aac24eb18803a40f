// See load_redis.hpp.
#include "settings/load_redis.hpp"

#include "settings/load_fields.hpp"

#include <algorithm>
#include <charconv>

namespace gw {
namespace {

constexpr std::string_view k_shape = "redis://HOST:6379/0 or rediss://USER:${env:PASSWORD}@HOST:6380/0";
constexpr std::uint16_t k_redis_port = 6379, k_sentinel_port = 26379;

// The first of `any` at or behind `from` that is not inside a reference.
std::size_t find_outside(std::string_view text, std::string_view any, std::size_t from = 0)
{
    while (from < text.size()) {
        if (text.substr(from).starts_with("${")) {
            from = std::min(text.find('}', from), text.size() - 1) + 1;
            continue;
        }
        if (any.find(text[from]) != std::string_view::npos)
            return from;
        ++from;
    }
    return std::string_view::npos;
}

bool is_reference(std::string_view text)
{
    return text.starts_with("${") && text.find('}') == text.size() - 1;
}

struct UrlParts {
    bool tls = false, has_password = false;
    std::string_view user, password, host_and_port, database;
};

// Places are those of the text as it is written: what a reference leads to may hold any character.
std::optional<UrlParts> split_url(std::string_view url)
{
    UrlParts parts;
    parts.tls = url.starts_with("rediss://");
    if (!parts.tls && !url.starts_with("redis://"))
        return std::nullopt;
    url.remove_prefix(parts.tls ? 9 : 8);
    if (const std::size_t at = find_outside(url.substr(0, find_outside(url, "/")), "@");
        at != std::string_view::npos) {
        const std::string_view user = url.substr(0, at);
        const std::size_t colon = find_outside(user, ":");
        parts.has_password = colon != std::string_view::npos;
        parts.user = user.substr(0, colon);
        parts.password = parts.has_password ? user.substr(colon + 1) : std::string_view{};
        url.remove_prefix(at + 1);
    }
    const std::size_t slash = find_outside(url, "/?#");
    parts.host_and_port = url.substr(0, slash);
    if (slash == std::string_view::npos)
        return parts;
    parts.database = url.substr(slash + 1);
    const bool is_path = url[slash] == '/' && find_outside(parts.database, "/?#") == std::string_view::npos;
    return is_path ? std::optional{parts} : std::nullopt;
}

int hex_digit(char c)
{
    int value = -1;
    const auto [end, failed] = std::from_chars(&c, &c + 1, value, 16);
    return failed == std::errc{} ? value : -1;
}

std::string percent_decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool coded = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                           hex_digit(text[i + 2]) >= 0;
        out += coded ? static_cast<char>(16 * hex_digit(text[i + 1]) + hex_digit(text[i + 2])) : text[i];
        i += coded ? 2 : 0;
    }
    return out;
}

// A part of the url's text with its references resolved; only what stands in the url itself is
// percent-encoded.
std::optional<std::string> resolved(const Value& url, std::string_view part)
{
    YamlNode node = *url.node;
    node.text = part;
    Value piece = url;
    piece.node = &node;
    auto text = read_text(piece);
    if (!text)
        return std::nullopt;
    return text->has_reference ? std::move(text->value) : percent_decoded(text->value);
}

bool set_parts(const Value& url, const UrlParts& parts, RedisSettings& out)
{
    const auto user = resolved(url, parts.user), where = resolved(url, parts.host_and_port),
               database = resolved(url, parts.database);
    auto password = resolved(url, parts.password);
    if (!user || !password || !where || !database)
        return true; // said already
    const auto host = parse_host_and_port(*where);
    const char* const end = database->data() + database->size();
    const auto read = std::from_chars(database->data(), end, out.database);
    if (!host || host->port == std::uint16_t{0} ||
        (!database->empty() && (read.ec != std::errc{} || read.ptr != end)))
        return false;
    out.tls = parts.tls;
    out.server.host = host->host;
    out.server.port = host->port.value_or(k_redis_port);
    out.user = *user;
    if (!out.user.empty() && password->empty())
        url.error("names a user without a password; write redis://USER:${env:NAME}@...");
    if (!password->empty())
        out.password = Secret{std::move(*password)};
    return true;
}

void read_redis_url(const Value& url, RedisSettings& out)
{
    // Nothing of it is repeated in a message: there may be a password in it, in a place where none is
    // expected.
    const std::string wrong = "is not the address of a Redis server; write " + std::string{k_shape};
    if (url.node->kind == YamlNode::Kind::scalar && split_url(url.node->text)) {
        const UrlParts parts = *split_url(url.node->text);
        if (!parts.password.empty() && !is_reference(parts.password))
            url.error(
                "a password must not stand in the file; write a reference, redis://USER:${env:NAME}@...");
        else if (!set_parts(url, parts, out))
            url.error(wrong);
        return;
    }
    const auto text = read_text(url); // a reference to all of it
    if (!text)
        return;
    YamlNode node = *url.node;
    node.text = text->value;
    Value whole = url;
    whole.node = &node;
    const auto parts = text->has_reference ? split_url(node.text) : std::nullopt;
    if (!parts || !set_parts(whole, *parts, out))
        url.error(wrong);
}

std::optional<RedisAddress> read_sentinel_node(const Value& value)
{
    const auto text = read_text(value);
    const auto host = text ? parse_host_and_port(text->value) : std::nullopt;
    if (text && (!host || host->port == std::uint16_t{0}))
        value.error(text->shown + " is not a host and a port, such as sentinel-1.example.com:26379");
    if (!host)
        return std::nullopt;
    RedisAddress node;
    node.host = host->host;
    node.port = host->port.value_or(k_sentinel_port);
    return node;
}

RedisSettings::Sentinel read_sentinel(const Mapping& sentinel)
{
    RedisSettings::Sentinel out;
    if (const auto master = sentinel.require("master", "master: mymaster"))
        if (auto text = read_text(*master))
            out.master = std::move(text->value);
    if (const auto nodes = sentinel.require("nodes", "nodes: [sentinel-1.example.com:26379]")) {
        out.nodes = read_items<RedisAddress>(*nodes, read_sentinel_node);
        if (nodes->node->kind == YamlNode::Kind::sequence && nodes->node->items.empty())
            nodes->error("needs a sentinel, such as sentinel-1.example.com:26379");
    }
    if (const auto password = sentinel.find("password", Mapping::Null::as_absent))
        out.password = read_secret(*password);
    return out;
}

void read_redis_tls(const Mapping& tls, RedisSettings& out)
{
    if (!tls.is_present())
        return;
    tls.text("ca", out.ca_file, Mapping::Null::as_absent);
    tls.text("certificate", out.certificate, Mapping::Null::as_absent);
    tls.text("key", out.key, Mapping::Null::as_absent);
    if (out.certificate.empty() != out.key.empty())
        tls.value().error("a client's certificate and its key belong together: write both or neither");
    if (!out.tls && !out.server.host.empty())
        tls.value().error_at_key("the url is without TLS; write rediss:// there, or remove this");
}

void read_key_prefix(const Mapping& redis, std::string& out)
{
    const auto value = redis.find("key_prefix");
    const auto text = value ? read_text(*value) : std::nullopt;
    if (!text)
        return;
    // No braces: they would decide in which slot of a cluster every key is.
    const bool valid = !text->value.empty() && text->value.size() <= 64 &&
                       std::all_of(text->value.begin(), text->value.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                  (c >= '0' && c <= '9') ||
                                  std::string_view{"_.:-"}.find(c) != std::string_view::npos;
                       });
    if (valid)
        out = text->value;
    else
        value->error(text->shown + " is not a prefix for keys: 1 to 64 of [A-Za-z0-9_.:-]");
}

} // namespace

RedisSettings read_redis(const Mapping& redis)
{
    RedisSettings out;
    if (const auto url = redis.require("url", "url: " + std::string{k_shape}))
        read_redis_url(*url, out);
    redis.flag("cluster", out.cluster);
    if (const auto sentinel = redis.find("sentinel", Mapping::Null::as_absent)) {
        out.sentinel = read_sentinel(Mapping{*sentinel});
        if (out.cluster)
            sentinel->error_at_key("a cluster needs no sentinels; remove this, or write cluster: false");
    }
    if (out.cluster && out.database != 0)
        redis.find("url")->error("a cluster has only database 0");
    redis.duration("command_timeout", out.command_timeout, milliseconds{1}, seconds{10});
    redis.duration("connect_timeout", out.connect_timeout, milliseconds{10}, seconds{60});
    if (const auto tls = redis.find("tls", Mapping::Null::as_absent))
        read_redis_tls(Mapping{*tls}, out);
    read_key_prefix(redis, out.key_prefix);
    return out;
}

} // namespace gw
