// See stream.hpp.
#include "net/stream.hpp"

#include <boost/asio/post.hpp>

#include <cerrno>

#include <sys/socket.h>

namespace gw {

struct Stream::ReadSome::Completed {
    using allocator_type = SlotAllocator<char>;
    ReadSome* read;

    allocator_type get_allocator() const noexcept { return allocator_type{read->slot_}; }
    void operator()(const boost::system::error_code& ec, std::size_t bytes) const
    {
        read->result_.ec = ec;
        read->result_.bytes = bytes;
        read->caller_.resume();
    }
};

struct Stream::ReadSome::Turn {
    using allocator_type = SlotAllocator<char>;
    ReadSome* read;

    allocator_type get_allocator() const noexcept { return allocator_type{read->slot_}; }
    void operator()() const
    {
        if (read->stream_.cancels_ == read->cancels_) {
            read->start();
            return;
        }
        read->result_.ec = asio::error::operation_aborted;
        read->caller_.resume();
    }
};

void Stream::ReadSome::await_suspend(std::coroutine_handle<> caller)
{
    caller_ = caller;
    cancels_ = stream_.cancels_;
    if (patient_)
        asio::post(stream_.socket_.get_executor(), Turn{this});
    else
        start();
}

void Stream::ReadSome::start()
{
    stream_.socket_.async_read_some(asio::mutable_buffer{into_.data(), into_.size()}, Completed{this});
}

struct Stream::WriteAll::Completed {
    using allocator_type = SlotAllocator<char>;
    WriteAll* write;

    allocator_type get_allocator() const noexcept { return allocator_type{write->slot_}; }
    void operator()(const boost::system::error_code& ec) const
    {
        write->stream_.write_deadline_ = k_never;
        if (ec)
            write->result_.ec = ec;
        else if (!write->attempt()) {
            write->wait();
            return;
        }
        write->caller_.resume();
    }
};

bool Stream::WriteAll::attempt() noexcept
{
    while (!parts_.empty()) {
        msghdr message{};
        message.msg_iov = parts_.data();
        message.msg_iovlen = parts_.size();
        const ssize_t sent = ::sendmsg(stream_.socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                return false;
            result_.ec.assign(errno, boost::system::system_category());
            return true;
        }
        auto left = static_cast<std::size_t>(sent);
        result_.bytes += left;
        while (!parts_.empty() && left >= parts_.front().iov_len) {
            left -= parts_.front().iov_len;
            parts_ = parts_.subspan(1);
        }
        if (left > 0) {
            parts_.front().iov_base = static_cast<char*>(parts_.front().iov_base) + left;
            parts_.front().iov_len -= left;
        }
    }
    return true;
}

void Stream::WriteAll::wait()
{
    stream_.write_deadline_ = std::chrono::steady_clock::now() + idle_;
    stream_.socket_.async_wait(Socket::wait_write, Completed{this});
}

struct Stream::Connect::Completed {
    using allocator_type = SlotAllocator<char>;
    Connect* connect;

    allocator_type get_allocator() const noexcept { return allocator_type{connect->slot_}; }
    void operator()(const boost::system::error_code& ec) const
    {
        connect->ec_ = ec;
        connect->caller_.resume();
    }
};

void Stream::Connect::await_suspend(std::coroutine_handle<> caller)
{
    caller_ = caller;
    stream_.socket_.async_connect(to_, Completed{this});
}

std::size_t Stream::read_now(std::span<char> into) noexcept
{
    const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool Stream::is_quiet() noexcept
{
    char byte;
    return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Stream::abort() noexcept
{
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
}

void Stream::cancel() noexcept
{
    ++cancels_;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void Stream::shutdown_send() noexcept
{
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() noexcept
{
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void Stream::on_sweep(SteadyTime now) noexcept
{
    if (now >= read_deadline_)
        read_timed_out_ = true;
    else if (now >= write_deadline_)
        write_timed_out_ = true;
    else
        return;
    read_deadline_ = write_deadline_ = k_never;
    cancel();
}

} // namespace gw
