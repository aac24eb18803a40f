// The admin listener over real sockets: framing, limits, header fields, stopping.
#include "admin/server.hpp"

#include "admin_world.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

using namespace gw;

namespace {

struct ServerWorld {
    explicit ServerWorld(AdminOptions options = {})
    {
        options.listen.push_back({"127.0.0.1", 0});
        server.emplace(context, std::move(options), world.services(),
                       ManagementAuth{Secret{k_bootstrap}, {}});
        server->start();
    }
    ~ServerWorld() { run(context, server->stop(std::chrono::milliseconds{0})); }

    // Sends the bytes and reads until the server closes.
    awaitable<std::string> exchange(std::string bytes)
    {
        Socket socket{context.get_executor()};
        const Tcp::endpoint endpoint{asio::ip::address_v4::loopback(), server->ports().front()};
        co_await socket.async_connect(endpoint, may_throw);
        co_await asio::async_write(socket, asio::buffer(bytes), may_throw);
        std::string out;
        std::array<char, 4096> part{};
        for (;;) {
            auto [failed, size] = co_await socket.async_read_some(asio::buffer(part), no_throw);
            out.append(part.data(), size);
            if (failed)
                co_return out;
        }
    }
    std::string ask(std::string bytes) { return run(context, exchange(std::move(bytes))); }

    asio::io_context context{1};
    AdminWorld world;
    std::optional<AdminServer> server;
};

std::string get(const std::string& path, const std::string& fields = "Connection: close\r\n")
{
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("admin server: answers carry the security fields and a request id", "[admin]")
{
    ServerWorld world;
    const std::string answer = world.ask(get("/livez"));
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(answer, "Cache-Control: no-store\r\n"));
    CHECK(has(answer, "X-Content-Type-Options: nosniff\r\n"));
    CHECK(has(answer, "X-Request-Id: "));
    CHECK_FALSE(has(answer, "Strict-Transport-Security"));
}

TEST_CASE("admin server: a connection serves one request after another", "[admin]")
{
    ServerWorld world;
    const std::string answer = world.ask(get("/livez", "") + get("/nothing", "") + get("/readyz"));
    CHECK(has(answer, "200 OK"));
    CHECK(has(answer, "404 Not Found"));
    CHECK(has(answer, "\"ready\""));
}

TEST_CASE("admin server: HEAD has the fields of GET and no body", "[admin]")
{
    ServerWorld world;
    const std::string answer = world.ask("HEAD /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(answer, "Content-Length: 15\r\n"));
    CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("admin server: what is malformed, ambiguous or too large is refused and the connection closed",
          "[admin]")
{
    AdminOptions options;
    options.body_bytes = 100;
    options.head_bytes = 1000;
    ServerWorld world{options};
    const auto [request, status] = GENERATE(table<std::string, std::string>({
        {"GET\r\n\r\n", "400"},
        {"GET /livez HTTP/1.1\r\n\r\n", "400"}, // no Host
        {"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
        {"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"GET http://a/livez HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
        {"GET /livez HTTP/3.0\r\nHost: a\r\n\r\n", "505"},
        {"POST /api/v1/platform/api-keys HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n" +
             std::string(101, 'x'),
         "413"},
        {"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + std::string(1000, 'x') + "\r\n\r\n", "431"},
    }));
    INFO(request);
    const std::string answer = world.ask(request);
    CHECK(answer.substr(9, 3) == status);
    CHECK(has(answer, "application/problem+json"));
    CHECK(has(answer, "Connection: close"));
}

TEST_CASE("admin server: a request that does not arrive in time ends the connection", "[admin]")
{
    AdminOptions options;
    options.read_timeout = std::chrono::milliseconds{50};
    ServerWorld world{options};
    CHECK(world.ask("GET /livez HTTP/1.1\r\nHo").empty());
}

TEST_CASE("admin server: Expect: 100-continue is answered before the body", "[admin]")
{
    ServerWorld world;
    const std::string answer =
        world.ask("POST /api/v1/platform/api-keys HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  "Connection: close\r\nContent-Length: 2\r\n\r\n{}");
    CHECK(answer.starts_with("HTTP/1.1 100 Continue\r\n"));
    CHECK(has(answer, "401 Unauthorized"));
}

TEST_CASE("admin server: stopping closes idle connections at once", "[admin]")
{
    ServerWorld world;
    Socket idle{world.context.get_executor()};
    const Tcp::endpoint endpoint{asio::ip::address_v4::loopback(), world.server->ports().front()};
    run(world.context, [](Socket& socket, Tcp::endpoint to) -> awaitable<void> {
        co_await socket.async_connect(to, may_throw);
        const std::string bytes = get("/livez", "");
        co_await asio::async_write(socket, asio::buffer(bytes), may_throw);
        std::string answer;
        co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), "{\"status\":\"ok\"}",
                                        may_throw);
    }(idle, endpoint));

    run(world.context, world.server->stop(std::chrono::hours{1})); // would not return in time otherwise
    std::array<char, 1> byte{};
    boost::system::error_code ended;
    idle.read_some(asio::buffer(byte), ended);
    CHECK(ended == asio::error::eof);
    Socket late{world.context.get_executor()};
    boost::system::error_code refused;
    late.connect(endpoint, refused);
    CHECK(refused);
}

TEST_CASE("admin server: an address that cannot be had is an error that names it", "[admin]")
{
    ServerWorld first;
    AdminWorld world;
    asio::io_context context{1};
    AdminOptions options;
    options.listen.push_back({"127.0.0.1", first.server->ports().front()});
    AdminServer second{context, options, world.services(), ManagementAuth{Secret{}, {}}};
    CHECK_THROWS_WITH(second.start(), Catch::Contains("127.0.0.1:" + std::to_string(options.listen[0].port)));
}
