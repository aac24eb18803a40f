// A program that a test starts, and ends by its own pid at the latest when the test itself dies.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gw {

class ChildProcess {
public:
    // Its output goes to `log`. Throws if it cannot be started.
    ChildProcess(const std::vector<std::string>& arguments, const std::string& log)
    {
        std::vector<char*> argv;
        for (const std::string& argument : arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ < 0)
            throw std::runtime_error{"cannot fork"};
        if (pid_ > 0)
            return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(127);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, 1);
        ::dup2(out, 2);
        for (int fd = 3; fd < 1024; ++fd)
            ::close(fd);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess()
    {
        signal(SIGCONT);
        signal(SIGTERM);
        if (!wait_for(std::chrono::seconds{5}))
            kill();
    }

    void signal(int number) const noexcept
    {
        if (pid_ > 0)
            ::kill(pid_, number);
    }
    // Ends it at once, as a crash would.
    void kill() noexcept
    {
        signal(SIGKILL);
        if (pid_ > 0)
            ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    // False if it still runs.
    bool wait_for(std::chrono::milliseconds time)
    {
        const auto until = std::chrono::steady_clock::now() + time;
        while (pid_ > 0) {
            if (::waitpid(pid_, &status_, WNOHANG) == pid_)
                pid_ = -1;
            else if (std::chrono::steady_clock::now() >= until)
                return false;
            else
                std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        return true;
    }
    // Of one that has ended by itself.
    int exit_code() const noexcept { return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1; }

    // Runs a program to its end; throws unless it succeeds.
    static void run(const std::vector<std::string>& arguments, const std::string& log)
    {
        ChildProcess child{arguments, log};
        if (!child.wait_for(std::chrono::seconds{60}) || child.exit_code() != 0)
            throw std::runtime_error{arguments.front() + " failed; see " + log};
    }

private:
    pid_t pid_ = -1;
    int status_ = -1;
};

} // namespace gw
