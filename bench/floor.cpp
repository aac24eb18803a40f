// The floor: a byte relay that parses nothing. Each client connection gets a connection to the upstream of
// its own; what comes in on one goes out on the other. One thread, level-triggered epoll, one read and one
// write per readiness. What a gateway costs above this is its own work; the rest is the kernel's TCP.
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

struct Pair;

struct End {
    int fd = -1;
    Pair* pair = nullptr;
    End* other = nullptr;
    std::string unsent; // what the socket would not take yet; the other end is not read meanwhile
};

struct Pair {
    End client, upstream;
    bool dead = false;
};

int epoll_fd = -1;

void watch(End& end, std::uint32_t events, int operation)
{
    epoll_event event{};
    event.events = events;
    event.data.ptr = &end;
    epoll_ctl(epoll_fd, operation, end.fd, &event);
}

void open_pair(int client, const sockaddr_in& target, std::vector<Pair*>& ended)
{
    const int on = 1;
    const int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto* pair = new Pair;
    pair->client = {client, pair, &pair->upstream, {}};
    pair->upstream = {upstream, pair, &pair->client, {}};
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Blocking, since it is done 64 times in all and loopback answers at once.
    if (connect(upstream, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
        pair->dead = true;
        ended.push_back(pair);
        return;
    }
    watch(pair->client, EPOLLIN, EPOLL_CTL_ADD);
    watch(pair->upstream, EPOLLIN, EPOLL_CTL_ADD);
}

// False if the pair is over.
bool send_on(End& to, const char* data, std::size_t size)
{
    const auto n = send(to.fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        return false;
    const auto sent = n < 0 ? 0 : static_cast<std::size_t>(n);
    if (sent == size)
        return true;
    to.unsent.assign(data + sent, size - sent);
    watch(to, EPOLLOUT, EPOLL_CTL_MOD);
    watch(*to.other, 0, EPOLL_CTL_MOD);
    return true;
}

bool on_event(End& end, std::uint32_t events, std::vector<char>& buffer)
{
    if ((events & EPOLLOUT) != 0) {
        const std::string rest = std::move(end.unsent);
        end.unsent.clear();
        if (!send_on(end, rest.data(), rest.size()))
            return false;
        if (end.unsent.empty()) {
            watch(end, EPOLLIN, EPOLL_CTL_MOD);
            watch(*end.other, EPOLLIN, EPOLL_CTL_MOD);
        }
        return true;
    }
    const auto n = recv(end.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return true;
    return n > 0 && send_on(*end.other, buffer.data(), static_cast<std::size_t>(n));
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
        std::perror("floor: listen");
        std::exit(1);
    }
    return fd;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: floor PORT UPSTREAM_PORT\n");
        return 2;
    }
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int listener = listen_on(static_cast<std::uint16_t>(std::atoi(argv[1])));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    std::array<epoll_event, 128> events;
    std::vector<char> buffer(64 * 1024);
    std::vector<Pair*> ended; // freed after the batch, which may still name their other end
    for (;;) {
        const int n = epoll_wait(epoll_fd, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < n; ++i) {
            const auto& ready = events[static_cast<std::size_t>(i)];
            auto* end = static_cast<End*>(ready.data.ptr);
            if (end == nullptr) {
                if (const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC); fd >= 0)
                    open_pair(fd, target, ended);
            } else if (!end->pair->dead && !on_event(*end, ready.events, buffer)) {
                end->pair->dead = true;
                ended.push_back(end->pair);
            }
        }
        for (auto* pair : ended) {
            close(pair->client.fd);
            close(pair->upstream.fd);
            delete pair;
        }
        ended.clear();
    }
}
