// The warm path allocates nothing: a whole gateway in this process, an upstream and clients over real sockets.
#include "measured/counted_malloc.hpp"

#include "app/serve.hpp"
#include "app/store_session.hpp"
#include "domain/finally.hpp"
#include "settings/load.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace gw;

namespace {

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int listen_on_free_port(std::uint16_t& port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd, 256) == 0);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    return fd;
}

std::uint16_t free_port()
{
    std::uint16_t port = 0;
    ::close(listen_on_free_port(port));
    return port;
}

bool send_all(int fd, std::string_view text)
{
    return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Everything up to and including `end`; empty if the connection ends first.
std::string read_until(int fd, std::string_view end)
{
    std::string text;
    char buffer[4096];
    while (text.find(end) == std::string::npos) {
        const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0)
            return {};
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

// Answers every request with the same small response, a thread for each connection.
class Upstream {
public:
    Upstream() : listening_(listen_on_free_port(port_)), acceptor_([this] { accept_all(); }) {}
    ~Upstream()
    {
        ::shutdown(listening_, SHUT_RDWR);
        acceptor_.join();
        ::close(listening_);
        for (std::thread& thread : threads_)
            thread.join();
    }
    std::uint16_t port() const { return port_; }

private:
    void accept_all()
    {
        for (int fd; (fd = ::accept(listening_, nullptr, nullptr)) >= 0;)
            threads_.emplace_back([fd] {
                while (!read_until(fd, "\r\n\r\n").empty())
                    send_all(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n");
                ::close(fd);
            });
    }

    std::uint16_t port_ = 0;
    int listening_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

std::string configuration(const std::string& folder, std::uint16_t port, std::uint16_t admin, std::uint16_t upstream)
{
    return "version: 1\n"
           "gateway: { listen: [{ address: 127.0.0.1:" + std::to_string(port) + " }], workers: 2 }\n"
           "admin: { listen: [{ address: 127.0.0.1:" + std::to_string(admin) + " }] }\n"
           "stores: { metadata: { sqlite: " + folder + "/p.db }, secrets: { local: " + folder + "/secrets } }\n"
           "log: { access: off, level: error }\n"
           "keys: { bcrypt_cost: 4 }\n"
           "scopes: { \"things:read\": Read things }\n"
           "plans: { big: { limits: [ { name: burst, rate: 1000000/s, burst: 1000000 } ] } }\n"
           "upstreams: { things: { targets: [http://127.0.0.1:" + std::to_string(upstream) + "] } }\n"
           "routes: [ { id: things, match: { path: /things/**, methods: [GET] }, scopes: [\"things:read\"], upstream: things,\n"
           "            limits: [ { name: route, per: key, rate: 1000000/s, burst: 1000000 } ] } ]\n";
}

std::string issue_key(const Settings& settings)
{
    StoreSession session{settings};
    Tenant tenant;
    tenant.id = *TenantId::parse("acme");
    tenant.name = "acme";
    AuditEntry why;
    why.action = "tenant.create";
    REQUIRE(session.run(session.tenants().add(tenant, why)).has_value());
    CreateKey request;
    request.tenant = tenant.id;
    request.name = "warm";
    request.owner.id = *OwnerId::parse("tests");
    request.scopes = {"things:read"};
    request.plan = "big";
    Actor actor;
    actor.id = "tests";
    actor.grants = {"*:*"};
    actor.may_set_limits = true;
    const auto issued = session.run(session.keys().create(std::move(request), actor));
    REQUIRE(issued.has_value());
    return std::string{issued->key.reveal()};
}

class Clients {
public:
    Clients(std::uint16_t port, std::size_t count, std::string request) : request_(std::move(request))
    {
        for (std::size_t i = 0; i < count; ++i) {
            const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
            const sockaddr_in address = loopback(port);
            REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            sockets_.push_back(fd);
        }
    }
    ~Clients()
    {
        for (const int fd : sockets_)
            ::close(fd);
    }
    // One request on each connection, all under way at once; how many were answered with 200.
    std::size_t round()
    {
        for (const int fd : sockets_)
            send_all(fd, request_);
        std::size_t good = 0;
        for (const int fd : sockets_)
            good += read_until(fd, "ok\n").starts_with("HTTP/1.1 200 ");
        return good;
    }

private:
    std::string request_;
    std::vector<int> sockets_;
};

void wait_until_listening(std::uint16_t port)
{
    for (int i = 0; i < 1000; ++i) {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        const sockaddr_in address = loopback(port);
        const bool up = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        ::close(fd);
        if (up)
            return;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    FAIL("the gateway does not listen");
}

} // namespace

TEST_CASE("warm path: 10,000 checked, limited and proxied requests on 64 connections allocate nothing", "[measured]")
{
    char folder[] = "/tmp/portcullis-warm-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const Finally removed{[&folder] { std::filesystem::remove_all(folder); }};
    Upstream upstream;
    const std::uint16_t port = free_port();
    Loaded loaded = load_settings_text(configuration(folder, port, free_port(), upstream.port()), "warm.yaml");
    REQUIRE(loaded.ok());
    const std::string key = issue_key(loaded.settings);

    std::thread gateway{[&loaded] { serve(loaded.settings, {}); }};
    wait_until_listening(port);
    std::uint64_t allocated = 1, answered = 0;
    constexpr std::size_t k_connections = 64, k_rounds = 157;
    {
        Clients clients{port, k_connections, "GET /things/1 HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + key + "\r\n\r\n"};
        for (int i = 0; i < 30; ++i)
            REQUIRE(clients.round() == k_connections);
        count_worker_allocations(true);
        for (std::size_t i = 0; i < k_rounds; ++i)
            answered += clients.round();
        count_worker_allocations(false);
        allocated = worker_allocations();
    }
    ::kill(::getpid(), SIGTERM);
    gateway.join();
    CHECK(answered == k_connections * k_rounds);
    CHECK(allocated == 0);
}
