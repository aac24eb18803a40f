// The entry point: hardens the process, picks the subcommand and turns its end into an exit code.
// 0: done, 1: the command failed (one line per reason on standard error), 2: it was called wrongly.
#include "cli/commands.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <iostream>
#include <string>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace {

// Memory of this process holds peppers and keys: no core dumps, no attaching by other processes of the user.
void forbid_memory_dumps()
{
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int report(const std::string& command, const gw::cli::CommandFailed& failure)
{
    for (const std::string& line : failure.lines())
        std::cerr << "portcullis: " << command << ": " << line << '\n';
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    forbid_memory_dumps();
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App app{"Portcullis, an authenticating reverse-proxy gateway.", "portcullis"};
    app.footer("Every command has --help with an example: portcullis keys create --help");
    app.require_subcommand(1);
    gw::cli::Chosen chosen;
    gw::cli::add_all(app, chosen);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
    try {
        return chosen.run();
    } catch (const gw::cli::CommandFailed& failure) {
        return report(chosen.name, failure);
    } catch (const std::exception& failure) {
        return report(chosen.name, gw::cli::CommandFailed{failure.what()});
    }
}
