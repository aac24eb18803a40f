// A PostgreSQL server of a test program's own: Debian's, on a socket in a temporary folder, one for the whole
// program and ended with it. PostgreSQL refuses to run as root: then it runs as the `postgres` user of its
// package.
#pragma once

#include "domain/secret.hpp"

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace gw {

class PostgresServer {
public:
    // The program's, started at the first call.
    static PostgresServer& shared();

    // One of a test that stops it. `settings` are lines of postgresql.conf.
    explicit PostgresServer(const std::vector<std::string>& settings = {});
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;
    ~PostgresServer();

    // A fresh, empty one; its url.
    Secret new_database(const std::string& options = "");
    // Runs SQL in a database as the owner of all; its first value, or "".
    std::string sql(const Secret& url, const std::string& text);

    void pause(); // SIGSTOP for all of its processes: connections open, no answers
    void resume();
    void kill();  // SIGKILL
    void start(); // after kill(): on the same data

private:
    std::vector<pid_t> processes() const;
    void end(int signal);

    std::filesystem::path folder_;
    pid_t pid_ = 0;
    std::atomic<int> databases_{0};
    std::vector<pid_t> paused_;
};

} // namespace gw
