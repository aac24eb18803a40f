// The upstream that every proxy of the benchmark stands in front of: one thread, epoll, answers written at
// start-up. As cheap as it can be, since it shares a core with the load generator.
//   <any>/16k   16 KiB        <any>/echo   the request's head as it arrived here        anything else  small
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

struct Connection {
    int fd = -1;
    std::string in, out;
    std::uint64_t body_left = 0; // of a request body that is being skipped
};

std::string respond(std::string_view body, const char* type)
{
    return "HTTP/1.1 200 OK\r\nServer: upstream\r\nContent-Type: " + std::string{type} +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

const std::string k_small = respond(R"({"orders":[{"id":1,"state":"open"},{"id":2,"state":"sent"}]})" "\n", "application/json");
const std::string k_large = respond(std::string(16 * 1024, 'x'), "application/octet-stream");

std::uint64_t content_length(std::string_view head)
{
    for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
        const auto at = head.find(name);
        if (at == std::string_view::npos)
            continue;
        std::uint64_t length = 0;
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
        return length;
    }
    return 0;
}

// Answers every complete request in `c.in`.
void answer(Connection& c)
{
    std::string_view rest{c.in};
    for (;;) {
        const auto skipped = std::min<std::uint64_t>(c.body_left, rest.size());
        rest.remove_prefix(static_cast<std::size_t>(skipped));
        c.body_left -= skipped;
        const auto end = c.body_left == 0 ? rest.find("\r\n\r\n") : std::string_view::npos;
        if (end == std::string_view::npos)
            break;
        const auto head = rest.substr(0, end + 4);
        const auto target = head.substr(0, head.find(" HTTP/"));
        if (target.ends_with("/16k"))
            c.out += k_large;
        else if (target.ends_with("/echo"))
            c.out += respond(head, "text/plain");
        else
            c.out += k_small;
        if (target[0] == 'P')
            c.body_left = content_length(head);
        rest.remove_prefix(head.size());
    }
    c.in.erase(0, c.in.size() - rest.size());
}

// False if the connection is over. What the socket does not take at once is written by waiting for it:
// 16 KiB fit any socket buffer, so this does not happen while a proxy reads.
bool flush(Connection& c)
{
    std::size_t written = 0;
    while (written < c.out.size()) {
        const auto n = send(c.fd, c.out.data() + written, c.out.size() - written, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n < 0)
            return false;
        written += static_cast<std::size_t>(n);
    }
    c.out.clear();
    return true;
}

int listen_on(std::uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 1024) != 0) {
        std::perror("upstream: listen");
        std::exit(1);
    }
    return fd;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: upstream PORT\n");
        return 2;
    }
    const int listener = listen_on(static_cast<std::uint16_t>(std::atoi(argv[1])));
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    std::array<epoll_event, 128> events;
    std::vector<char> buffer(64 * 1024);
    for (;;) {
        const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < n; ++i) {
            auto* c = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (c == nullptr) {
                const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0)
                    continue;
                const int on = 1;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event.data.ptr = new Connection{fd, {}, {}, 0};
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
                continue;
            }
            const auto got = recv(c->fd, buffer.data(), buffer.size(), 0);
            if (got < 0 && errno == EAGAIN)
                continue;
            if (got > 0) {
                c->in.append(buffer.data(), static_cast<std::size_t>(got));
                answer(*c);
            }
            if (got <= 0 || !flush(*c)) {
                close(c->fd);
                delete c;
            }
        }
    }
}
