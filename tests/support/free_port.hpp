// Ports that no other test takes: the same claims as tests/e2e/ports.py makes, which says why.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace gw {

namespace detail {

inline bool claim_port(std::uint16_t port)
{
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::string text = "portcullis-test-port-" + std::to_string(port);
    std::memcpy(name.sun_path + 1, text.data(), text.size());
    const int claim = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    const bool claimed = ::bind(claim, reinterpret_cast<const sockaddr*>(&name), size) == 0;
    if (!claimed)
        ::close(claim); // a claim that holds is kept until the process ends
    return claimed;
}

inline bool can_bind(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return bound;
}

} // namespace detail

// `also` more ports at a distance from it are free and claimed too: a cluster's bus is at +10000.
inline std::uint16_t free_port(std::vector<std::uint16_t> also = {})
{
    static std::mt19937 random{std::random_device{}()};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto port =
            static_cast<std::uint16_t>(std::uniform_int_distribution<int>{10000, 20000}(random));
        bool all = detail::claim_port(port) && detail::can_bind(port);
        for (const std::uint16_t distance : also)
            all = all && detail::claim_port(static_cast<std::uint16_t>(port + distance)) &&
                  detail::can_bind(static_cast<std::uint16_t>(port + distance));
        if (all)
            return port;
    }
    throw std::runtime_error{"no free port"};
}

} // namespace gw
