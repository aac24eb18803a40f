// What a Redis command costs the worker that sends it: CPU time of this process per command, with a few and with many
// in flight, through the lean entry (start) and through coroutines. Needs a redis-server: micro_redis_commands PORT.
#include "adapters/redis/client.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>

using namespace gw;

namespace {

double cpu_seconds()
{
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Run {
    redis::Client& client;
    redis::Command command;
    std::size_t left = 0, failed = 0, in_flight = 0;
};

// Sends itself again until enough were sent.
class Repeated final : public redis::Pending {
public:
    explicit Repeated(Run& run) noexcept : Pending(run.command), run_(run) {}
    void go()
    {
        while (run_.left > 0) {
            --run_.left;
            if (run_.client.start(*this)) {
                ++run_.in_flight;
                return;
            }
            ++run_.failed;
        }
    }
    void answered(result<redis::Reply> answer) override
    {
        --run_.in_flight;
        run_.failed += answer && !answer->is_error() ? 0 : 1;
        go();
    }

private:
    Run& run_;
};

awaitable<void> repeated(Run& run, const redis::Script& script, const std::vector<std::string>& keys,
                         const std::vector<std::string>& arguments)
{
    ++run.in_flight;
    while (run.left > 0) {
        --run.left;
        const result<redis::Reply> reply = co_await run.client.run(script, keys, arguments);
        run.failed += reply && !reply->is_error() ? 0 : 1;
    }
    --run.in_flight;
}

} // namespace

int main(int argc, char** argv)
{
    constexpr std::size_t k_commands = 200'000;
    redis::Options options;
    options.server.host = "127.0.0.1";
    options.server.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 6379);
    options.command_timeout = std::chrono::milliseconds{2000};
    asio::io_context context{1};
    const auto client = redis::create_client(context.get_executor(), options);
    const redis::Script script{"return {redis.call('INCRBY', KEYS[1], ARGV[1]), 7, 0}"};
    const std::vector<std::string> keys{"{bench}counter"}, arguments{"1", "500", "500", "0"};
    redis::Command command;
    command.key = keys.front();
    command.script = &script;
    command.keys = keys;
    command.arguments = arguments;

    for (const bool lean : {true, false})
        for (const std::size_t depth : {1, 4, 16, 64}) {
            Run run{*client, command};
            run.left = 1000; // warm
            std::deque<Repeated> calls;
            double cpu = 0;
            std::uint64_t writes = 0;
            for (const std::size_t commands : {std::size_t{1000}, k_commands / (depth == 1 ? 4 : 1)}) {
                run.left = commands;
                cpu = cpu_seconds();
                writes = client->figures().writes;
                for (std::size_t i = 0; i < depth; ++i) {
                    if (lean)
                        calls.emplace_back(run).go();
                    else
                        asio::co_spawn(context.get_executor(), repeated(run, script, keys, arguments), [](std::exception_ptr) {});
                }
                do
                    context.run_one();
                while (run.left > 0 || run.in_flight > 0);
                cpu = (cpu_seconds() - cpu) / static_cast<double>(commands);
                writes = client->figures().writes - writes;
            }
            std::printf("%-10s %3zu in flight: %6.2f us of CPU a command, %zu writes, %zu failed\n", lean ? "lean" : "coroutine",
                        depth, 1e6 * cpu, static_cast<std::size_t>(writes), run.failed);
        }
}
