// The subcommands, one file each: every add_ function declares one on the option parser and, when it is the
// one that was called, leaves in `chosen` what main runs after parsing. Options live as long as the parser.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace gw::cli {

// What main is to run: the exit code is the process's.
struct Chosen {
    std::string name; // "keys create": how errors are introduced
    std::function<int()> run;
};

// The command could not be done. Each line is printed as `portcullis: <command>: <line>`, exit code 1.
class CommandFailed : public std::runtime_error {
public:
    explicit CommandFailed(std::string line) : CommandFailed(std::vector<std::string>{std::move(line)}) {}
    explicit CommandFailed(std::vector<std::string> lines)
        : std::runtime_error(lines.empty() ? std::string{"failed"} : lines.front()), lines_(std::move(lines))
    {
    }
    const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    std::vector<std::string> lines_;
};

void add_serve(CLI::App& app, Chosen& chosen);
void add_check(CLI::App& app, Chosen& chosen);
void add_explain(CLI::App& app, Chosen& chosen);
void add_keys(CLI::App& app, Chosen& chosen);
void add_keys_import(CLI::App& keys, Chosen& chosen); // within the group `keys`
void add_tenants(CLI::App& app, Chosen& chosen);
void add_migrate(CLI::App& app, Chosen& chosen);
void add_rotate(CLI::App& app, Chosen& chosen);
void add_demo_api(CLI::App& app, Chosen& chosen);
void add_version(CLI::App& app, Chosen& chosen);
// diff, users, audit: named in --help, refused as not built yet.
void add_not_built(CLI::App& app, Chosen& chosen);

// All of them, in the order that --help shows.
void add_all(CLI::App& app, Chosen& chosen);

} // namespace gw::cli
