// paced: HTTP load at a constant rate (open loop, no coordinated omission) or as fast as N connections go
// (closed loop). Prints one JSON object. Used by tests/e2e and bench; see --help.
#include "driver.hpp"

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sched.h>
#include <stdexcept>

namespace {

constexpr const char* k_help = R"(usage: paced --target ADDR:PORT (--rate N | --closed) [options]

  --seconds S          how long requests are issued (5)
  --warmup S           before that, not counted (0)
  --requests N         stop after N requests
  --connections N      keep-alive connections (1)
  --source A[-B]       source addresses, spread over the connections, e.g. 127.0.0.2-127.0.0.200
  --method M --path P  (GET /)
  --header 'N: V'      further field; may be repeated
  --host H             Host field (the target)
  --body-bytes N       request body of N bytes
  --key-file F         API keys, one a line, used round-robin
  --random-keys BRAND  well-formed random keys instead
  --seed N             for them (1)
  --key-field N        field that carries the key (X-API-Key); 'Authorization' sends 'Bearer <key>'
  --reconnect          a new connection for every request
  --timeout S          per request (10)
  --log F              '<sent ns> <received ns> <status>' per response, CLOCK_MONOTONIC
  --cpu N              run on this core only

example: paced --target 127.0.0.1:8080 --rate 500 --seconds 10 --connections 199 \
               --source 127.0.0.2-127.0.0.200 --random-keys pc --path /v1/orders
)";

using Options = std::map<std::string, std::string>;

struct Arguments {
    Options options;
    std::string fields; // of --header
};

Arguments parse(int argc, char** argv)
{
    Arguments result;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--help") {
            std::cout << k_help;
            std::exit(0);
        }
        if (name == "--closed" || name == "--reconnect") {
            result.options[name] = "1";
            continue;
        }
        if (name.substr(0, 2) != "--" || i + 1 == argc)
            throw std::runtime_error{"unexpected argument " + name + " (see --help)"};
        const std::string value = argv[++i];
        if (name == "--header")
            result.fields += value + "\r\n";
        else if (std::string_view{k_help}.find("  " + name + " ") != std::string_view::npos || name == "--target" ||
                 name == "--rate" || name == "--path")
            result.options[name] = value;
        else
            throw std::runtime_error{"unknown option " + name + " (see --help)"};
    }
    return result;
}

std::string text(const Options& options, const std::string& name, const std::string& otherwise)
{
    const auto it = options.find(name);
    return it == options.end() ? otherwise : it->second;
}

double number(const Options& options, const std::string& name, double otherwise)
{
    const auto it = options.find(name);
    return it == options.end() ? otherwise : std::stod(it->second);
}

std::uint32_t address(const std::string& value)
{
    in_addr parsed{};
    if (inet_pton(AF_INET, value.c_str(), &parsed) != 1)
        throw std::runtime_error{"not an IPv4 address: " + value};
    return ntohl(parsed.s_addr);
}

void set_addresses(load::Plan& plan, const Options& options)
{
    const auto target = text(options, "--target", "");
    const auto colon = target.find(':');
    if (colon == std::string::npos)
        throw std::runtime_error{"--target ADDR:PORT is needed"};
    plan.target.sin_family = AF_INET;
    plan.target.sin_addr.s_addr = htonl(address(target.substr(0, colon)));
    plan.target.sin_port = htons(static_cast<std::uint16_t>(std::stoi(target.substr(colon + 1))));
    const auto source = text(options, "--source", "");
    if (source.empty())
        return;
    const auto dash = source.find('-');
    plan.first_source = address(source.substr(0, dash));
    plan.last_source = dash == std::string::npos ? plan.first_source : address(source.substr(dash + 1));
    if (plan.last_source < plan.first_source)
        throw std::runtime_error{"--source: the range is empty"};
}

void set_request(load::Plan& plan, const Arguments& arguments, bool with_key)
{
    const auto& options = arguments.options;
    const auto method = text(options, "--method", "GET");
    plan.head_request = method == "HEAD";
    plan.before_key = method + " " + text(options, "--path", "/") + " HTTP/1.1\r\nHost: " +
                      text(options, "--host", text(options, "--target", "")) + "\r\n" + arguments.fields;
    const auto body_bytes = static_cast<std::size_t>(number(options, "--body-bytes", 0));
    if (body_bytes > 0)
        plan.before_key += "Content-Length: " + std::to_string(body_bytes) + "\r\n";
    if (with_key) {
        const auto field = text(options, "--key-field", "X-API-Key");
        plan.before_key += field + (field == "Authorization" ? ": Bearer " : ": ");
        plan.after_key = "\r\n";
    }
    plan.after_key += "\r\n" + std::string(body_bytes, 'x');
}

load::Plan make_plan(const Arguments& arguments, bool with_key)
{
    const auto& options = arguments.options;
    load::Plan plan;
    set_addresses(plan, options);
    set_request(plan, arguments, with_key);
    plan.rate = number(options, "--rate", 0);
    if ((plan.rate > 0) == options.contains("--closed"))
        throw std::runtime_error{"exactly one of --rate N (above 0) and --closed is needed"};
    plan.seconds = number(options, "--seconds", 5);
    plan.warmup_seconds = number(options, "--warmup", 0);
    plan.timeout_seconds = number(options, "--timeout", 10);
    plan.max_requests = static_cast<std::uint64_t>(number(options, "--requests", 0));
    plan.connections = static_cast<int>(number(options, "--connections", 1));
    plan.reconnect_each = options.contains("--reconnect");
    if (plan.connections < 1)
        throw std::runtime_error{"--connections: at least 1"};
    return plan;
}

void pin(const Options& options)
{
    if (!options.contains("--cpu"))
        return;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(number(options, "--cpu", 0)), &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) != 0)
        throw std::runtime_error{"--cpu: no such core"};
}

} // namespace

int main(int argc, char** argv)
try {
    const auto arguments = parse(argc, argv);
    const auto& options = arguments.options;
    load::KeySource keys;
    if (options.contains("--key-file"))
        keys = load::KeySource::from_file(options.at("--key-file"));
    else if (options.contains("--random-keys"))
        keys = load::KeySource::random(options.at("--random-keys"), static_cast<std::uint64_t>(number(options, "--seed", 1)));
    pin(options);
    load::Tally tally;
    if (options.contains("--log"))
        tally.log_to(options.at("--log"));
    auto plan = make_plan(arguments, !keys.empty());
    load::Driver driver{std::move(plan), std::move(keys), tally};
    const double seconds = driver.run();
    std::cout << tally.json(seconds) << "\n";
    return 0;
} catch (const std::exception& problem) {
    std::cerr << "paced: " << problem.what() << "\n";
    return 2;
}
