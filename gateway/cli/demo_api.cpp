// `portcullis demo-api`: the sample upstream behind run.sh and the tests. One thread, any number of
// connections; ends at once on SIGTERM or Ctrl-C.
#include "cli/commands.hpp"
#include "cli/demo_session.hpp"
#include "domain/errors.hpp"
#include "domain/network.hpp"
#include "observe/log.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>

#include <charconv>
#include <memory>

namespace gw::cli {

namespace {

Tcp::endpoint parse_listen(const std::string& text)
{
    const std::size_t colon = text.rfind(':');
    const auto host = colon == std::string::npos ? std::nullopt : Address::parse(text.substr(0, colon));
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + std::min(colon + 1, text.size()), end, port);
    if (!host || parsed.ec != std::errc{} || parsed.ptr != end)
        throw CommandFailed{"--listen: '" + text + "' is not ADDRESS:PORT, for example 127.0.0.1:9001"};
    return {asio::ip::make_address(host->str()), port};
}

awaitable<void> serve_connection(Socket socket)
{
    const auto session = std::make_unique<DemoSession>(std::move(socket));
    co_await session->run();
}

void note_end(std::exception_ptr failure)
{
    try {
        if (failure)
            std::rethrow_exception(failure);
    } catch (const std::exception& problem) {
        log(LogLevel::error, "demo_api.connection_failed", {{"reason", problem.what()}});
    }
}

awaitable<void> accept_connections(Acceptor& acceptor)
{
    for (;;) {
        auto [failed, socket] = co_await acceptor.async_accept(no_throw);
        if (failed == asio::error::operation_aborted)
            co_return;
        if (failed) { // out of descriptors, most likely: let some connections end
            Timer pause{acceptor.get_executor(), std::chrono::milliseconds{50}};
            co_await pause.async_wait(no_throw);
            continue;
        }
        asio::co_spawn(acceptor.get_executor(), serve_connection(std::move(socket)), note_end);
    }
}

int run_demo_api(const std::string& listen)
{
    const Tcp::endpoint endpoint = parse_listen(listen);
    asio::io_context context{1};
    Acceptor acceptor{context.get_executor()};
    try {
        acceptor.open(endpoint.protocol());
        acceptor.set_option(Tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen(4096);
    } catch (const boost::system::system_error& failure) {
        throw CommandFailed{"cannot listen on " + listen + ": " + failure.code().message()};
    }
    asio::basic_signal_set<Executor> signals{context.get_executor(), SIGTERM, SIGINT};
    signals.async_wait([&context](error_code, int) { context.stop(); });
    asio::co_spawn(context.get_executor(), accept_connections(acceptor), note_end);

    const Tcp::endpoint bound = acceptor.local_endpoint();
    const std::string address = bound.address().to_string(), port = std::to_string(bound.port());
    log(LogLevel::info, "demo_api.listening", {{"address", address}, {"port", port}});
    context.run();
    return 0;
}

} // namespace

void add_demo_api(CLI::App& app, Chosen& chosen)
{
    CLI::App* command = app.add_subcommand("demo-api", "Run the sample upstream API");
    command->footer(
        "Echoes requests as JSON; also /healthz, /v1/orders, /bytes/N, /hash, /slow, /drip, /events, "
        "/trailers, /hints, /status/CODE.\nExample: portcullis demo-api --listen 127.0.0.1:9001");
    auto listen = std::make_shared<std::string>("127.0.0.1:9001");
    command->add_option("--listen", *listen, "ADDRESS:PORT to listen on; port 0 picks a free one")
        ->capture_default_str();
    command->callback([&chosen, listen] {
        chosen.name = "demo-api";
        chosen.run = [listen] { return run_demo_api(*listen); };
    });
}

} // namespace gw::cli
