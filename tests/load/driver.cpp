// The event loop of the load tool. Level-triggered epoll, one read per readiness.
#include "driver.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <sys/epoll.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace load {

namespace {

constexpr std::int64_t k_second = 1'000'000'000;
constexpr std::int64_t k_retry_ns = 10'000'000;   // between two attempts to connect
constexpr std::int64_t k_sweep_ns = 100'000'000;  // between two looks for overdue answers
constexpr std::uint64_t k_timer_tag = UINT64_MAX;

std::int64_t to_ns(double seconds)
{
    return static_cast<std::int64_t>(seconds * 1e9);
}

} // namespace

std::int64_t monotonic_ns() noexcept
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * k_second + now.tv_nsec;
}

Driver::Driver(Plan plan, KeySource keys, Tally& tally)
    : plan_{std::move(plan)}, keys_{std::move(keys)}, tally_{tally}, epoll_{epoll_create1(EPOLL_CLOEXEC)},
      timer_{timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)}, buffer_(256 * 1024)
{
    if (epoll_ < 0 || timer_ < 0)
        throw std::runtime_error{"epoll or timerfd is not available"};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = k_timer_tag;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
    connections_.resize(static_cast<std::size_t>(plan_.connections));
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        if (plan_.first_source != 0)
            connections_[i].source =
                plan_.first_source + static_cast<std::uint32_t>(i % (plan_.last_source - plan_.first_source + 1));
        free_.push_back(i);
    }
}

Driver::~Driver()
{
    for (auto& c : connections_)
        close(c);
    ::close(timer_);
    ::close(epoll_);
}

bool Driver::is_over(std::int64_t now) const
{
    return now >= end_ || (plan_.max_requests != 0 && issued_ >= plan_.max_requests);
}

double Driver::run()
{
    begin_ = monotonic_ns();
    end_ = begin_ + to_ns(plan_.warmup_seconds + plan_.seconds);
    std::int64_t warm_at = plan_.warmup_seconds > 0 ? begin_ + to_ns(plan_.warmup_seconds) : 0;
    std::int64_t counted_from = begin_;
    std::int64_t sweep_at = begin_ + k_sweep_ns;
    std::array<epoll_event, 256> events;
    for (;;) {
        const std::int64_t now = monotonic_ns();
        if (warm_at != 0 && now >= warm_at) {
            tally_.restart();
            counted_from = now;
            warm_at = 0;
        }
        if (now >= sweep_at) {
            check_timeouts(now);
            sweep_at = now + k_sweep_ns;
        }
        start_due(now);
        const bool open_loop_behind = plan_.rate > 0 && begin_ + to_ns(static_cast<double>(issued_) / plan_.rate) < end_;
        if (is_over(now) && busy_ == 0 && (!open_loop_behind || plan_.max_requests != 0))
            return static_cast<double>(monotonic_ns() - counted_from) / 1e9;
        const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
        for (int i = 0; i < n; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            if (event.data.u64 == k_timer_tag) {
                std::uint64_t expirations = 0;
                [[maybe_unused]] const auto got = ::read(timer_, &expirations, sizeof expirations);
            } else {
                on_event(connections_[event.data.u64], event.events);
            }
        }
    }
}

void Driver::arm_timer(std::int64_t at) const
{
    itimerspec when{};
    when.it_value.tv_sec = at / k_second;
    when.it_value.tv_nsec = at % k_second;
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

// Open loop: gives every request whose time has come to a free connection. The schedule never waits: what
// finds no free connection goes out late, and its latency counts from when it was due.
void Driver::start_due(std::int64_t now)
{
    for (std::size_t looked = free_.size(); looked > 0 && !free_.empty(); --looked) {
        if (plan_.max_requests != 0 && issued_ >= plan_.max_requests)
            return;
        std::int64_t due = now;
        if (plan_.rate > 0) {
            due = begin_ + to_ns(static_cast<double>(issued_) / plan_.rate);
            if (due >= end_)
                return now < end_ ? arm_timer(end_) : void();
            if (due > now)
                return arm_timer(due);
        } else if (now >= end_) {
            return;
        }
        const std::size_t index = free_.front();
        free_.pop_front();
        if (connections_[index].retry_at > now) { // could not connect a moment ago
            free_.push_back(index);
            arm_timer(now + k_retry_ns / 4);
            continue;
        }
        start(connections_[index], due, now);
    }
}

void Driver::start(Connection& c, std::int64_t due, std::int64_t now)
{
    ++issued_;
    ++busy_;
    c.due = due;
    c.sent = now;
    c.out = plan_.before_key;
    if (!keys_.empty())
        c.out += keys_.next();
    c.out += plan_.after_key;
    c.written = 0;
    c.reader.begin(plan_.head_request);
    if (c.state == Connection::State::closed)
        return open(c);
    c.state = Connection::State::busy;
    write(c);
}

void Driver::open(Connection& c)
{
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c.fd < 0)
        return fail(c, Failure::connect);
    const int on = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (c.source != 0) {
        setsockopt(c.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        sockaddr_in from{};
        from.sin_family = AF_INET;
        from.sin_addr.s_addr = htonl(c.source);
        if (bind(c.fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
            return fail(c, Failure::connect);
    }
    const int rc = connect(c.fd, reinterpret_cast<const sockaddr*>(&plan_.target), sizeof plan_.target);
    if (rc != 0 && errno != EINPROGRESS)
        return fail(c, Failure::connect);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.u64 = static_cast<std::uint64_t>(&c - connections_.data());
    epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
    c.wants_write = true;
    c.state = Connection::State::connecting;
}

void Driver::watch(Connection& c, bool writable)
{
    if (c.wants_write == writable)
        return;
    epoll_event event{};
    event.events = EPOLLIN | (writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
    event.data.u64 = static_cast<std::uint64_t>(&c - connections_.data());
    epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &event);
    c.wants_write = writable;
}

void Driver::write(Connection& c)
{
    while (c.written < c.out.size()) {
        const auto n = send(c.fd, c.out.data() + c.written, c.out.size() - c.written, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN)
                return watch(c, true);
            // The server may have answered and closed before it took the whole body: look for that answer first.
            c.written = c.out.size();
            watch(c, false);
            return on_readable(c);
        }
        c.written += static_cast<std::size_t>(n);
    }
    watch(c, false);
}

void Driver::on_event(Connection& c, std::uint32_t events)
{
    if (c.state == Connection::State::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0)
            return fail(c, Failure::connect);
        if ((events & EPOLLOUT) == 0)
            return;
        c.state = Connection::State::busy;
        c.sent = monotonic_ns();
        return write(c);
    }
    if (c.fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        on_readable(c);
    if (c.fd >= 0 && c.state == Connection::State::busy && (events & EPOLLOUT) != 0)
        write(c);
}

void Driver::on_readable(Connection& c)
{
    const auto n = recv(c.fd, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        return on_closed(c, n < 0 ? errno : 0);
    if (c.state == Connection::State::idle) { // bytes nobody asked for
        ++busy_;
        free_.erase(std::find(free_.begin(), free_.end(), static_cast<std::size_t>(&c - connections_.data())));
        return fail(c, Failure::broken);
    }
    const auto size = static_cast<std::size_t>(n);
    const auto used = c.reader.feed({buffer_.data(), size});
    if (c.reader.state() == ResponseReader::State::broken || (used < size && c.reader.state() == ResponseReader::State::complete))
        return fail(c, Failure::broken);
    if (c.reader.state() == ResponseReader::State::complete)
        finished(c);
}

// The peer ended the connection. Linux tells whether it had taken the request: closing a socket with unread
// bytes resets it; and if its FIN came first and our bytes later, they are answered with a reset, which
// leaves EPIPE behind in a socket that has seen the FIN. That reset may be on its way still: bytes that meet a
// peer in the middle of its close() are looked at when that is over.
void Driver::on_closed(Connection& c, int error)
{
    if (c.state == Connection::State::idle)
        return close(c); // allowed at any time; it stays in free_
    if (error == 0 && c.reader.end_of_stream())
        return finished(c);
    if (c.reader.started())
        return fail(c, Failure::truncated);
    if (error == 0) {
        pollfd reset{c.fd, 0, 0};
        constexpr int k_reset_ms = 50;
        static_cast<void>(::poll(&reset, 1, k_reset_ms));
        socklen_t size = sizeof error;
        getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    fail(c, error != 0 ? Failure::closed_unread : Failure::closed_after_read);
}

void Driver::finished(Connection& c)
{
    tally_.response(c.reader.status(), c.due, c.sent, monotonic_ns(), c.reader.body_bytes());
    const bool reusable = c.reader.keep_alive() && c.written == c.out.size() && !plan_.reconnect_each;
    if (!reusable)
        close(c);
    else
        c.state = Connection::State::idle;
    --busy_;
    const auto now = monotonic_ns();
    if (plan_.rate > 0 || is_over(now))
        free_.push_back(static_cast<std::size_t>(&c - connections_.data()));
    else
        start(c, now, now);
}

void Driver::fail(Connection& c, Failure kind)
{
    tally_.failure(kind);
    close(c);
    if (kind == Failure::connect)
        c.retry_at = monotonic_ns() + k_retry_ns;
    --busy_;
    free_.push_back(static_cast<std::size_t>(&c - connections_.data()));
}

void Driver::close(Connection& c)
{
    if (c.fd >= 0)
        ::close(c.fd);
    c.fd = -1;
    c.wants_write = false;
    c.state = Connection::State::closed;
}

void Driver::check_timeouts(std::int64_t now)
{
    const auto limit = to_ns(plan_.timeout_seconds);
    for (auto& c : connections_)
        if ((c.state == Connection::State::busy || c.state == Connection::State::connecting) && now - c.sent > limit)
            fail(c, c.state == Connection::State::connecting ? Failure::connect : Failure::timeout);
}

} // namespace load
