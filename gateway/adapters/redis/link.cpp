// See link.hpp.
#include "adapters/redis/link.hpp"

#include "domain/secret.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <cerrno>

#include <sys/socket.h>

namespace gw::redis {

awaitable<std::string> Link::connect(Ptr self, Server server, std::chrono::milliseconds timeout)
{
    self->is_connecting_ = true;
    Timer limit{co_await asio::this_coro::executor, timeout};
    auto give_up = [self](const boost::system::error_code& ec) {
        if (ec || !self->is_connecting_)
            return;
        self->timed_out_ = true;
        self->transport_.close();
    };
    limit.async_wait(std::move(give_up));
    std::string why = co_await self->transport_.connect(server);
    self->is_connecting_ = false;
    if (self->timed_out_)
        co_return "no connection within " + std::to_string(timeout.count()) + " ms";
    co_return why;
}

void Link::start(LinkOwner& owner)
{
    owner_ = &owner;
    read();
}

struct Link::Received {
    using allocator_type = SlotAllocator<char>;
    Ptr link;

    allocator_type get_allocator() const noexcept { return allocator_type{link->read_slot_}; }
    void operator()(const boost::system::error_code& ec, std::size_t bytes) const
    {
        link->received(ec, bytes);
    }
};

void Link::read()
{
    const asio::mutable_buffer into{buffer_.data(), buffer_.size()};
    if (transport_.is_tls())
        transport_.tls().async_read_some(into, Received{this});
    else
        transport_.socket().async_read_some(into, Received{this});
}

void Link::received(const boost::system::error_code& ec, std::size_t bytes)
{
    if (!is_open())
        return;
    if (ec) {
        end(ec == asio::error::eof ? "the server closed the connection" : ec.message());
        return;
    }
    heard_ = std::chrono::steady_clock::now();
    parser_.feed({buffer_.data(), bytes});
    deliver();
    if (is_open() && parser_.is_broken())
        end(parser_.fault());
    if (is_open())
        read();
}

void Link::deliver()
{
    for (Reply reply; is_open() && parser_.next(reply);) {
        ++figures_->replies;
        if (slots_.empty()) {
            end("an answer that nobody asked for");
            return;
        }
        Pending* pending = slots_.pop();
        if (pending == nullptr)
            continue; // too late
        pending->waits_in_ = nullptr;
        owner_->on_answer(*pending, std::move(reply));
    }
}

struct Link::Flush {
    using allocator_type = SlotAllocator<char>;
    Ptr link;

    allocator_type get_allocator() const noexcept { return allocator_type{link->flush_slot_}; }
    void operator()() const { link->flush(); }
};

void Link::send(Pending& pending)
{
    append_command(out_, pending.command_, pending.in_full_);
    pending.sequence_ = slots_.push(&pending);
    pending.waits_in_ = this;
    count_sent();
}

void Link::send_unanswered(std::span<const std::string_view> words)
{
    append_words(out_, words);
    slots_.push(nullptr);
    count_sent();
}

void Link::count_sent()
{
    ++figures_->commands;
    if (slots_.size() == 1)
        heard_ = std::chrono::steady_clock::now();
    if (flush_due_ || writing_)
        return;
    flush_due_ = true;
    // Behind everything that is ready in this turn: what it sends goes along.
    asio::post(transport_.socket().get_executor(), Flush{this});
}

void Link::flush()
{
    flush_due_ = false;
    if (!is_open() || writing_ || out_.empty())
        return;
    sending_.swap(out_);
    sent_ = 0;
    write();
}

struct Link::Writable {
    using allocator_type = SlotAllocator<char>;
    Ptr link;

    allocator_type get_allocator() const noexcept { return allocator_type{link->write_slot_}; }
    void operator()(const boost::system::error_code& ec) const
    {
        link->writing_ = false;
        if (!link->is_open())
            return;
        if (ec)
            link->end(ec.message());
        else
            link->write();
    }
};

struct Link::Written {
    using allocator_type = SlotAllocator<char>;
    Ptr link;

    allocator_type get_allocator() const noexcept { return allocator_type{link->write_slot_}; }
    void operator()(const boost::system::error_code& ec, std::size_t) const
    {
        link->writing_ = false;
        link->sending_.clear();
        if (!link->is_open())
            return;
        if (ec)
            link->end(ec.message());
        else
            link->flush();
    }
};

void Link::write()
{
    ++figures_->writes;
    if (transport_.is_tls()) {
        writing_ = true;
        asio::async_write(transport_.tls(), asio::const_buffer{sending_.data(), sending_.size()},
                          Written{this});
        return;
    }
    while (sent_ < sending_.size()) {
        const ssize_t count = ::send(transport_.socket().native_handle(), sending_.data() + sent_,
                                     sending_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            sent_ += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            writing_ = true;
            transport_.socket().async_wait(Socket::wait_write, Writable{this});
            return;
        } else if (errno != EINTR) {
            const error_code failed{errno, boost::system::system_category()};
            end(failed.message());
            return;
        }
    }
    sending_.clear();
    flush(); // what was added while the socket was full
}

void Link::wipe_sent() noexcept
{
    for (std::string* buffer : {&out_, &sending_}) {
        buffer->resize(buffer->capacity());
        wipe(buffer->data(), buffer->size());
        buffer->clear();
    }
}

SteadyTime Link::sweep(SteadyTime now)
{
    const Ptr self{this};
    SteadyTime next = k_never;
    for (std::uint64_t number = slots_.begin(); is_open() && number < slots_.end(); ++number) {
        Pending* pending = number < slots_.begin() ? nullptr : slots_.at(number);
        if (pending == nullptr)
            continue;
        if (pending->deadline_ > now) {
            next = std::min(next, pending->deadline_);
            continue;
        }
        slots_.at(number) = nullptr;
        pending->waits_in_ = nullptr;
        ++figures_->timeouts;
        owner_->on_overdue(*pending);
    }
    if (!is_open() || slots_.empty())
        return k_never;
    if (now - heard_ >= silence_) {
        end("no answer for " + std::to_string(silence_.count()) + " ms");
        return k_never;
    }
    return std::min(next, heard_ + silence_);
}

void Link::end(const std::string& why)
{
    const Ptr self{this};
    LinkOwner* const owner = owner_;
    if (owner == nullptr)
        return;
    owner->on_end(why);
    close();
}

void Link::close() noexcept
{
    const Ptr self{this};
    owner_ = nullptr;
    transport_.close();
    // A command that is answered now may be followed by others, but they go elsewhere: the owner knows.
    while (!slots_.empty()) {
        Pending* pending = slots_.pop();
        if (pending == nullptr)
            continue;
        pending->waits_in_ = nullptr;
        if (pending->filter_ != nullptr)
            pending->filter_->settle(*pending, make_error_code(errc::in_doubt));
        else
            pending->answered(make_error_code(errc::in_doubt));
    }
}

} // namespace gw::redis
