#include "support/postgres_server.hpp"

#include "domain/api_key.hpp"

#include <libpq-fe.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gw {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The newest that is installed.
fs::path binaries()
{
    fs::path newest;
    int version = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", ignored})
        if (const int found = std::atoi(entry.path().filename().c_str());
            found > version && fs::exists(entry.path() / "bin/initdb"))
            version = found, newest = entry.path() / "bin";
    if (version == 0)
        throw std::runtime_error("PostgreSQL is not installed: apt-get install postgresql");
    return newest;
}

// Starts a program, as the user `postgres` if this is root; it ends with this process. Only calls that are
// safe after a fork happen between it and exec.
pid_t start_program(const fs::path& program, const std::vector<std::string>& arguments, const fs::path& log)
{
    std::vector<char*> words;
    std::string name = program.string();
    words.push_back(name.data());
    std::vector<std::string> copies = arguments;
    for (auto& word : copies)
        words.push_back(word.data());
    words.push_back(nullptr);
    const passwd* account = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
    const uid_t user = account ? account->pw_uid : ::geteuid();
    const gid_t group = account ? account->pw_gid : ::getegid();
    const pid_t parent = ::getpid(), child = ::fork();
    if (child != 0)
        return child;
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    for (int fd = 3; fd < 256; ++fd)
        ::close(fd);
    if (account && (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(user) != 0))
        ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT); // after setuid, which clears it
    if (::getppid() != parent)
        ::_exit(125);
    ::execv(words[0], words.data());
    ::_exit(127);
}

struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};

std::string run_sql(const std::string& url, const std::string& text)
{
    const std::unique_ptr<PGconn, Finish> connection{PQconnectdb(url.c_str())};
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    const std::unique_ptr<PGresult, void (*)(PGresult*)> answer{PQexec(connection.get(), text.c_str()),
                                                                &PQclear};
    if (PQresultStatus(answer.get()) == PGRES_FATAL_ERROR)
        throw std::runtime_error(text + ": " + PQerrorMessage(connection.get()));
    return PQntuples(answer.get()) > 0 ? PQgetvalue(answer.get(), 0, 0) : "";
}

} // namespace

PostgresServer& PostgresServer::shared()
{
    static PostgresServer server;
    return server;
}

PostgresServer::PostgresServer(const std::vector<std::string>& settings)
    : folder_(fs::temp_directory_path() / ("portcullis-pg-" + random_base62(12)))
{
    fs::create_directory(folder_);
    fs::permissions(folder_, fs::perms::owner_all);
    if (::geteuid() == 0) {
        const passwd* account = ::getpwnam("postgres");
        if (account == nullptr || ::chown(folder_.c_str(), account->pw_uid, account->pw_gid) != 0)
            throw std::runtime_error("there is no user `postgres`: apt-get install postgresql");
    }
    const pid_t made =
        start_program(binaries() / "initdb",
                      {"--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--username=portcullis",
                       "--auth=trust", "--pgdata", (folder_ / "data").string()},
                      folder_ / "log");
    int status = 0;
    ::waitpid(made, &status, 0);
    if (status != 0)
        throw std::runtime_error("initdb failed: see " + (folder_ / "log").string());
    std::ofstream conf{folder_ / "data/postgresql.conf", std::ios::app};
    conf << "listen_addresses=''\nunix_socket_directories='" << folder_.string()
         << "'\nfsync=off\nsynchronous_commit=off\nfull_page_writes=off\nshared_buffers=32MB\nmax_"
            "connections=100\n"
            "autovacuum=off\nlog_min_messages=fatal\n";
    for (const auto& line : settings)
        conf << line << '\n';
    conf.close();
    start();
}

PostgresServer::~PostgresServer()
{
    end(SIGQUIT);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void PostgresServer::start()
{
    pid_ = start_program(binaries() / "postgres", {"-D", (folder_ / "data").string()}, folder_ / "log");
    const std::string url = "postgresql://portcullis@/postgres?host=" + folder_.string();
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (true) {
        if (PQping(url.c_str()) == PQPING_OK)
            return;
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("postgres did not start: see " + (folder_ / "log").string());
        std::this_thread::sleep_for(10ms);
    }
}

Secret PostgresServer::new_database(const std::string& options)
{
    const std::string name = "test_" + std::to_string(++databases_);
    run_sql("postgresql://portcullis@/postgres?host=" + folder_.string(),
            "CREATE DATABASE " + name + " " + options);
    return Secret{"postgresql://portcullis@/" + name + "?host=" + folder_.string()};
}

std::string PostgresServer::sql(const Secret& url, const std::string& text)
{
    return run_sql(std::string{url.reveal()}, text);
}

std::vector<pid_t> PostgresServer::processes() const
{
    std::vector<pid_t> found{pid_};
    const std::string number = std::to_string(pid_);
    std::ifstream children{"/proc/" + number + "/task/" + number + "/children"};
    for (pid_t child = 0; children >> child;)
        found.push_back(child);
    return found;
}

void PostgresServer::pause()
{
    ::kill(pid_, SIGSTOP); // first, so that no child is born meanwhile
    paused_ = processes();
    for (const pid_t process : paused_)
        ::kill(process, SIGSTOP);
}

void PostgresServer::resume()
{
    for (auto process = paused_.rbegin(); process != paused_.rend(); ++process)
        ::kill(*process, SIGCONT);
    paused_.clear();
}

void PostgresServer::kill()
{
    end(SIGKILL);
}

void PostgresServer::end(int signal)
{
    if (pid_ == 0)
        return;
    resume();
    const auto all = signal == SIGKILL ? processes() : std::vector<pid_t>{pid_};
    for (const pid_t process : all)
        ::kill(process, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
    // The next server on this data waits for nobody who still holds the shared memory. What has ended and was
    // not yet collected has no command line.
    for (const pid_t process : all)
        for (int i = 0; i < 500; ++i) {
            std::ifstream command{"/proc/" + std::to_string(process) + "/cmdline"};
            if (command.get() == std::ifstream::traits_type::eof())
                break;
            std::this_thread::sleep_for(10ms);
        }
}

} // namespace gw
