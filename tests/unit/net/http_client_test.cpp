// The client against a scripted server on the same io_context: reuse, repetition, deadlines, bounds.
#include "net/http_client.hpp"

#include "support/run_awaitable.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/write.hpp>

#include <catch2/catch.hpp>

#include <functional>

using namespace gw;
using namespace std::chrono_literals;

namespace {

const std::string k_hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Reads requests and sends what the script gives for the n-th request of the m-th connection. Nothing: closes.
class ScriptedServer {
public:
    using Script = std::function<std::optional<std::string>(int connection, int request)>;

    ScriptedServer(asio::io_context& context, Script script)
        : acceptor_(context, Tcp::endpoint{asio::ip::make_address("127.0.0.1"), 0}), script_(std::move(script))
    {
        asio::co_spawn(context, accept(), [](std::exception_ptr) {});
    }

    HttpClientOptions options() const
    {
        HttpClientOptions out;
        out.host = "127.0.0.1";
        out.port = acceptor_.local_endpoint().port();
        return out;
    }

    int connections = 0, requests = 0, open = 0, most_open = 0;
    std::string last;
    std::chrono::milliseconds latency{0};

private:
    awaitable<void> accept()
    {
        for (;;) {
            Socket socket{acceptor_.get_executor()};
            const auto [ec] = co_await acceptor_.async_accept(socket, no_throw);
            if (ec)
                co_return;
            asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket), ++connections), [](std::exception_ptr) {});
        }
    }

    awaitable<void> serve(Socket socket, int connection)
    {
        for (int request = 1;; ++request) {
            std::string head(4096, '\0');
            const asio::mutable_buffer room{head.data(), head.size()};
            const auto [ec, n] = co_await socket.async_read_some(room, no_throw);
            if (ec)
                co_return;
            last = head.substr(0, n);
            ++requests;
            most_open = std::max(most_open, ++open);
            Timer pause{socket.get_executor(), latency};
            (void)co_await pause.async_wait(no_throw);
            --open;
            const std::optional<std::string> answer = script_(connection, request);
            if (!answer)
                co_return;
            const asio::const_buffer bytes{answer->data(), answer->size()};
            const auto [failed, sent] = co_await asio::async_write(socket, bytes, no_throw);
            if (failed || answer->find("Connection: close") != std::string::npos)
                co_return;
        }
    }

    Acceptor acceptor_;
    Script script_;
};

HttpRequest request_of(std::string method, std::string body = {})
{
    HttpRequest request;
    request.method = std::move(method);
    request.target = "/v1/x";
    request.body.assign(body);
    return request;
}

struct World {
    explicit World(ScriptedServer::Script script) : server(context, std::move(script)), client(context.get_executor(), server.options()) {}

    HttpReply send(const std::string& method, std::chrono::milliseconds within = 2s)
    {
        const HttpRequest request = request_of(method);
        return run(context, client.send(request, std::chrono::steady_clock::now() + within));
    }

    asio::io_context context{1};
    ScriptedServer server;
    HttpClient client;
};

std::string body_of(const HttpReply& reply)
{
    return {reply.body.data(), reply.body.size()};
}

} // namespace

TEST_CASE("http client: a connection is used again", "[net]")
{
    World world{[](int, int) { return k_hello; }};
    for (int i = 0; i < 3; ++i) {
        const HttpReply reply = world.send("GET");
        CHECK_FALSE(reply.ec);
        CHECK(reply.status == 200);
        CHECK(body_of(reply) == "hello");
        CHECK(reply.reused == (i > 0));
    }
    CHECK(world.server.connections == 1);
    CHECK(world.server.last.starts_with("GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1:"));
}

TEST_CASE("http client: a reused connection that is found closed costs an idempotent request one repetition", "[net]")
{
    // The second request of a connection is never answered.
    World world{[](int, int request) { return request == 1 ? std::optional{k_hello} : std::nullopt; }};
    const auto [method, works] = GENERATE(table<std::string, bool>({{"GET", true}, {"DELETE", true}, {"POST", false}}));
    REQUIRE_FALSE(world.send("GET").ec);
    const HttpReply reply = world.send(method);
    CHECK(reply.ec.failed() != works);
    CHECK(reply.sent);
    CHECK(world.server.requests == (works ? 3 : 2));
}

TEST_CASE("http client: a request that fails on a new connection is not repeated", "[net]")
{
    World world{[](int, int) { return std::nullopt; }};
    CHECK(world.send("GET").ec == asio::error::eof);
    CHECK(world.server.requests == 1);
}

TEST_CASE("http client: a response that broke off is not asked for again", "[net]")
{
    World world{[](int, int request) {
        return std::optional<std::string>{request == 1 ? k_hello : "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 50\r\n\r\nhal"};
    }};
    REQUIRE_FALSE(world.send("GET").ec);
    const HttpReply reply = world.send("GET");
    CHECK(reply.ec.failed());
    CHECK(reply.answered);
    CHECK(world.server.requests == 2);
}

TEST_CASE("http client: chunked bodies and bodies up to the connection's end", "[net]")
{
    const std::string answer = GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
                                        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    World world{[&](int, int) { return answer; }};
    const HttpReply reply = world.send("GET");
    CHECK_FALSE(reply.ec);
    CHECK(reply.status == 200);
    CHECK(body_of(reply) == "hello");
}

TEST_CASE("http client: a silent server costs the deadline and no more", "[net]")
{
    World world{[](int, int) { return std::string{}; }};
    const auto begin = std::chrono::steady_clock::now();
    CHECK(world.send("GET", 100ms).ec == asio::error::timed_out);
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= 100ms);
    CHECK(took < 1s);
}

TEST_CASE("http client: a server that drips never passes the deadline", "[net]")
{
    World world{[](int, int) { return std::string{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx"}; }};
    CHECK(world.send("GET", 100ms).ec == asio::error::timed_out);
}

TEST_CASE("http client: bodies and heads beyond the bounds are errors", "[net]")
{
    const std::string answer = GENERATE(
        "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + std::string(0x200000, 'x') + "\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", std::string{"nonsense\r\n\r\n"});
    World world{[&](int, int) { return answer; }};
    const HttpReply reply = world.send("GET");
    CHECK(reply.ec.failed());
    CHECK(reply.ec != asio::error::timed_out);
}

TEST_CASE("http client: calls beyond the connections wait for one", "[net]")
{
    World world{[](int, int) { return k_hello; }};
    world.server.latency = 10ms;
    int good = 0;
    const HttpRequest request = request_of("GET");
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(world.context, world.client.send(request, std::chrono::steady_clock::now() + 5s),
                       [&](std::exception_ptr error, const HttpReply& reply) { good += !error && !reply.ec; });
    while (good < 50 && world.context.run_one_for(2s) != 0) {
    }
    CHECK(good == 50);
    CHECK(world.server.connections <= 16);
    CHECK(world.server.most_open <= 16);
}

TEST_CASE("http client: a cancelled call gives its place back", "[net]")
{
    World world{[](int, int) { return std::string{}; }};
    HttpClientOptions options = world.server.options();
    options.max_connections = 1;
    HttpClient client{world.context.get_executor(), options};
    asio::cancellation_signal cancel;
    const HttpRequest request = request_of("GET");
    bool ended = false;
    auto end = [&](std::exception_ptr, const HttpReply&) { ended = true; };
    asio::co_spawn(world.context, client.send(request, std::chrono::steady_clock::now() + 60s),
                   asio::bind_cancellation_slot(cancel.slot(), end));
    while (world.server.requests == 0)
        world.context.run_one();
    cancel.emit(asio::cancellation_type::terminal);
    while (!ended && world.context.run_one_for(2s) != 0) {
    }
    REQUIRE(ended);
    const HttpReply next = run(world.context, client.send(request, std::chrono::steady_clock::now() + 100ms));
    CHECK(next.ec == asio::error::timed_out);
    CHECK(world.server.requests == 2);
}

TEST_CASE("http client: nobody listening, and a name that means nothing, are errors", "[net]")
{
    asio::io_context context{1};
    HttpClientOptions options;
    {
        Acceptor free_again{context, Tcp::endpoint{asio::ip::make_address("127.0.0.1"), 0}};
        options.host = "127.0.0.1";
        options.port = free_again.local_endpoint().port();
    }
    if (GENERATE(false, true))
        options.host = "no-such-name.invalid";
    HttpClient client{context.get_executor(), options};
    const HttpRequest request = request_of("GET");
    const HttpReply reply = run(context, client.send(request, std::chrono::steady_clock::now() + 5s));
    CHECK(reply.ec.failed());
    CHECK_FALSE(reply.sent);
    CHECK_FALSE(reply.detail.empty());
}
