// How to reach Redis. Plain values, made from the settings by app.
#pragma once

#include "domain/secret.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gw::redis {

struct Server {
    std::string host; // a name or an IP literal
    std::uint16_t port = 6379;

    std::string str() const
    {
        return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(port);
    }
    friend bool operator==(const Server&, const Server&) = default;
};

struct TlsOptions {
    std::string ca;               // PEM file; empty: the system's authorities
    std::string certificate, key; // PEM files of the client's own certificate; both or neither
};

struct SentinelOptions {
    std::string master; // the name that the sentinels know it by
    std::vector<Server> nodes;
    Secret password; // of the sentinels; empty: none
};

struct Options {
    Server server;    // the one server, or where a cluster's map is first asked for; unused with Sentinel
    std::string user; // ACL user; empty: the default user
    Secret password;  // empty: none
    unsigned database = 0; // must be 0 in a cluster
    bool cluster = false;
    std::optional<SentinelOptions> sentinel;
    std::optional<TlsOptions> tls; // for the sentinels too
    std::chrono::milliseconds command_timeout{20};
    std::chrono::milliseconds connect_timeout{1000}; // until the server has greeted us
    std::size_t max_reply_bytes = 4 * 1024 * 1024;   // a longer answer ends the connection
};

struct Figures {
    std::uint64_t commands = 0;   // put on the wire, our own greetings included
    std::uint64_t writes = 0;     // system calls or TLS records that carried them
    std::uint64_t replies = 0;    // also those that came too late
    std::uint64_t timeouts = 0;   // commands that were not answered within their deadline
    std::uint64_t refused = 0;    // commands that were not sent, since no server was to be had
    std::uint64_t redirected = 0; // MOVED, ASK, TRYAGAIN
    std::uint64_t in_full = 0;    // scripts sent with their source
    std::uint64_t connects = 0;   // greetings that succeeded
};

} // namespace gw::redis
