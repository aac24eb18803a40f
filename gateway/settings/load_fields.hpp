// The parts of a configuration that have a syntax of their own inside one scalar: addresses, URLs, hosts,
// credential sources, identifiers. Each notes its problem at its value and is then empty.
#pragma once

#include "settings/reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gw {

// "0.0.0.0:8080", "[::]:8080": an IP literal and a port.
std::optional<ListenAddress> read_listen_address(const Value& value);
// "http://127.0.0.1:9001": scheme, host and perhaps a port; nothing after them.
std::optional<UpstreamSettings::Target> read_target(const Value& value);
// "https://vault.example.com:8200": where a store answers. The port is the scheme's unless it is said.
struct StoreAddress {
    bool tls = false;
    std::string host; // an IP literal (IPv6 without brackets) or a name
    std::uint16_t port = 0;
};
std::optional<StoreAddress> read_store_address(const Value& value);
// "name", "name:80", "192.0.2.1:80", "[::1]:80".
struct HostAndPort {
    std::string host; // an IPv6 literal without its brackets
    std::optional<std::uint16_t> port;
};
std::optional<HostAndPort> parse_host_and_port(std::string_view text);
// "https://api.example.com", without a path; a slash at its end is dropped.
std::optional<std::string> read_public_url(const Value& value);
// "api.example.com" or "*.example.com", in lower case.
std::optional<std::string> read_route_host(const Value& value);
// "bearer", "header:X-API-Key", "query:api_key", "cookie:session".
std::optional<CredentialSource> read_credential_source(const Value& value);
// What a route, a plan or an upstream is called: [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
bool is_identifier(std::string_view text) noexcept;

// Every item of a list through `read_item`; items that are wrong are left out.
template <class T, class ReadItem>
std::vector<T> read_items(const Value& list, ReadItem read_item)
{
    std::vector<T> all;
    for (const Value& item : read_list(list).value_or(std::vector<Value>{}))
        if (std::optional<T> read = read_item(item))
            all.push_back(std::move(*read));
    return all;
}

} // namespace gw
