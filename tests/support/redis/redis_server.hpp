// Debian's redis-server, started for a test on a free port of the loopback address with a folder of its own.
#pragma once

#include "adapters/redis/client.hpp"
#include "adapters/redis/protocol.hpp"
#include "contract/scratch_folder.hpp"
#include "support/child_process.hpp"
#include "support/free_port.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace gw {

// A blocking conversation, for what tests do behind the gateway's back. Throws on any failure but a Redis
// error.
class RedisConversation {
public:
    explicit RedisConversation(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience{5, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            ::close(fd_);
            throw std::runtime_error{"no Redis on port " + std::to_string(port)};
        }
    }
    RedisConversation(const RedisConversation&) = delete;
    RedisConversation& operator=(const RedisConversation&) = delete;
    ~RedisConversation() { ::close(fd_); }

    redis::Reply ask(const std::vector<std::string>& words)
    {
        std::string text;
        redis::Command command;
        command.words = words;
        redis::append_command(text, command, false);
        if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
            throw std::runtime_error{"Redis does not read"};
        redis::Reply reply;
        while (!parser_.next(reply)) {
            char buffer[4096];
            const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
            if (count <= 0 || parser_.is_broken())
                throw std::runtime_error{"Redis does not answer"};
            parser_.feed({buffer, static_cast<std::size_t>(count)});
        }
        return reply;
    }

private:
    int fd_;
    redis::ReplyParser parser_{16 * 1024 * 1024};
};

class RedisServer {
public:
    struct Options {
        std::vector<std::string> arguments; // more of redis-server's, such as "--requirepass", "x"
        bool tls = false;                   // with certificates of its own making: see certificate_folder()
        bool sentinel = false;
        bool cluster = false;
    };

    RedisServer() : RedisServer(Options{}) {}
    explicit RedisServer(Options options)
        : options_(std::move(options)), port_(options_.cluster ? free_port({10000}) : free_port())
    {
        if (options_.tls)
            make_certificates();
        start();
    }

    std::uint16_t port() const noexcept { return port_; }
    std::filesystem::path folder() const { return scratch_.path(); }
    std::string ca_file() const { return file("ca.pem"); }
    std::string other_ca_file() const { return file("other-ca.pem"); } // has signed nothing here
    redis::Server address() const
    {
        redis::Server server;
        server.host = "127.0.0.1";
        server.port = port_;
        return server;
    }

    void start()
    {
        const std::string port = std::to_string(port_);
        std::vector<std::string> words{"redis-server"};
        if (options_.sentinel) {
            if (!std::filesystem::exists(file("sentinel.conf")))
                std::ofstream{file("sentinel.conf")} << "port " << port << "\n";
            words.push_back(file("sentinel.conf"));
            words.emplace_back("--sentinel");
        }
        const auto add = [&words](std::initializer_list<std::string> more) {
            words.insert(words.end(), more);
        };
        add({"--bind", "127.0.0.1", "--dir", folder().string()});
        if (!options_.sentinel)
            add({"--save", "", "--appendonly", "no", "--enable-debug-command", "yes"});
        if (options_.tls)
            add({"--port", "0", "--tls-port", port, "--tls-cert-file", file("server.pem"), "--tls-key-file",
                 file("server.key"), "--tls-ca-cert-file", ca_file(), "--tls-auth-clients", "optional"});
        else
            add({"--port", port});
        if (options_.cluster)
            add({"--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-config-file",
                 "nodes.conf"});
        words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
        process_.emplace(words, file("log"));
        wait_until_it_answers();
    }
    // As a crash; what it held is gone.
    void kill() { process_->kill(); }
    void restart()
    {
        kill();
        start();
    }
    void pause() { process_->signal(SIGSTOP); } // the socket stays open, nothing is answered
    void resume() { process_->signal(SIGCONT); }

    // Not for TLS.
    redis::Reply ask(const std::vector<std::string>& words) { return ask_as("", words); }
    redis::Reply ask_as(const std::string& password, const std::vector<std::string>& words)
    {
        RedisConversation conversation{port_};
        if (!password.empty())
            conversation.ask({"AUTH", password});
        return conversation.ask(words);
    }

private:
    std::string file(const std::string& name) const { return (scratch_.path() / name).string(); }

    void wait_until_it_answers()
    {
        for (int attempt = 0; attempt < 1000; ++attempt) {
            try {
                RedisConversation conversation{port_};
                if (options_.tls || conversation.ask({"PING"}).error_code() != "LOADING")
                    return;
            } catch (const std::runtime_error&) {
            }
            if (process_->wait_for(std::chrono::milliseconds{0}))
                break;
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        throw std::runtime_error{"redis-server does not start; see " + file("log")};
    }

    void make_certificates()
    {
        const auto openssl = [this](std::vector<std::string> words) {
            words.insert(words.begin(), "openssl");
            ChildProcess::run(words, file("openssl.log"));
        };
        for (const std::string ca : {"ca", "other-ca"})
            openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-days", "2", "-subj", "/CN=" + ca, "-keyout", file(ca + ".key"), "-out",
                     file(ca + ".pem")});
        openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                 "/CN=localhost", "-keyout", file("server.key"), "-out", file("server.csr")});
        std::ofstream{file("extensions")} << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
        openssl({"x509", "-req", "-in", file("server.csr"), "-CA", ca_file(), "-CAkey", file("ca.key"),
                 "-CAcreateserial", "-days", "2", "-extfile", file("extensions"), "-out",
                 file("server.pem")});
    }

    Options options_;
    ScratchFolder scratch_;
    std::uint16_t port_;
    std::optional<ChildProcess> process_; // ends before its folder goes
};

} // namespace gw
