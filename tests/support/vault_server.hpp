// The stand-in for HashiCorp Vault (tests/support/vault_server.py, which says what it does) as a child of a test.
#pragma once

#include "adapters/hashicorp/options.hpp"
#include "contract/scratch_folder.hpp"

#include <boost/json.hpp>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace gw {

class VaultServer {
public:
    struct With {
        bool tls = false;
        std::string names = "127.0.0.1,localhost"; // of its certificate
        std::string namespaces;
        double token_ttl = 1200, token_max_ttl = 0;
        bool batch_tokens = false;
        bool keeps_state = false; // over a restart
    };
    VaultServer() : VaultServer(With{}) {}
    explicit VaultServer(With with) : with_(std::move(with)) { start(0); }
    VaultServer(const VaultServer&) = delete;
    VaultServer& operator=(const VaultServer&) = delete;
    ~VaultServer() { stop(); }

    static constexpr const char* k_root_token = "hvs.root-of-the-stand-in-000000000000";

    // To be completed with who we are.
    hashicorp::VaultOptions options() const
    {
        hashicorp::VaultOptions out;
        out.host = "127.0.0.1";
        out.port = port_;
        out.tls = with_.tls;
        out.trust.ca_file = ca_;
        return out;
    }
    hashicorp::VaultOptions with_root_token() const
    {
        hashicorp::VaultOptions out = options();
        out.token = Secret{std::string{k_root_token}};
        return out;
    }
    hashicorp::VaultOptions with_approle() const
    {
        hashicorp::VaultOptions out = options();
        out.approle.emplace();
        out.approle->role_id = "7e1f0b6a-role";
        out.approle->secret_id = Secret{std::string{"c0ffee00-secret-id-of-the-stand-in"}};
        return out;
    }

    // One command; what the server answered.
    boost::json::value tell(const std::string& command)
    {
        const std::string line = command + "\n";
        if (::write(commands_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
            throw std::runtime_error{"the Vault stand-in has ended"};
        return boost::json::parse(read_line());
    }
    std::int64_t count(const char* of) { return tell(R"({"counts": true})").as_object().at(of).to_number<std::int64_t>(); }
    void set(const std::string& name, const std::string& value) { tell(R"({"set": {")" + name + "\": " + value + "}}"); }

    void pause() const { ::kill(pid_, SIGSTOP); }
    void resume() const { ::kill(pid_, SIGCONT); }
    void kill()
    {
        if (pid_ <= 0)
            return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
        ::close(commands_);
        ::close(answers_);
    }
    void start_again() { start(port_); }
    std::uint16_t port() const noexcept { return port_; }
    const std::filesystem::path& folder() const noexcept { return scratch_.path(); }

private:
    void start(std::uint16_t port)
    {
        std::vector<std::string> words{"/usr/bin/python3", std::string{GW_SOURCE_DIR} + "/tests/support/vault_server.py",
                                       "--port", std::to_string(port), "--folder", scratch_.path().string(),
                                       "--names", with_.names, "--namespaces", with_.namespaces,
                                       "--token-ttl", std::to_string(with_.token_ttl),
                                       "--token-max-ttl", std::to_string(with_.token_max_ttl)};
        if (with_.tls)
            words.emplace_back("--tls");
        if (with_.batch_tokens)
            words.emplace_back("--batch-tokens");
        if (with_.keeps_state)
            words.insert(words.end(), {"--state", (scratch_.path() / "state").string()});
        spawn(words);
        const boost::json::value ready = boost::json::parse(read_line());
        port_ = ready.at("port").to_number<std::uint16_t>();
        ca_ = boost::json::value_to<std::string>(ready.at("ca"));
    }

    // Its standard input and output are pipes of ours; it ends when the first is closed, at the latest with us.
    void spawn(const std::vector<std::string>& words)
    {
        std::vector<char*> arguments;
        for (const std::string& word : words)
            arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        int in[2], out[2];
        if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
            throw std::runtime_error{"no pipe"};
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        const int failed = ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(in[0]);
        ::close(out[1]);
        commands_ = in[1];
        answers_ = out[0];
        if (failed != 0)
            throw std::runtime_error{"python3 cannot be started"};
    }

    std::string read_line()
    {
        std::string line;
        for (char c = 0; ::read(answers_, &c, 1) == 1 && c != '\n';)
            line += c;
        if (line.empty())
            throw std::runtime_error{"the Vault stand-in has ended"};
        return line;
    }

    void stop()
    {
        if (pid_ <= 0)
            return;
        resume();
        ::close(commands_);
        ::close(answers_);
        ::waitpid(pid_, nullptr, 0);
    }

    With with_;
    ScratchFolder scratch_;
    pid_t pid_ = -1;
    int commands_ = -1, answers_ = -1;
    std::uint16_t port_ = 0;
    std::string ca_;
};

} // namespace gw
