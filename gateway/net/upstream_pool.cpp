// See upstream_pool.hpp.
#include "net/upstream_pool.hpp"

#include "net/await_bridge.hpp"
#include "observe/log.hpp"

#include <boost/asio/post.hpp>

#include <cstring>

namespace gw {

UpstreamConnection::UpstreamConnection(UpstreamPool& pool, std::size_t buffer_bytes)
    : pool_(pool), stream_(Socket{pool.worker_.executor()}, pool.worker_.deadlines()),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_bytes)), capacity_(buffer_bytes)
{
}

struct UpstreamConnection::Completed {
    using allocator_type = SlotAllocator<char>;
    UpstreamConnection* connection;

    allocator_type get_allocator() const noexcept { return allocator_type{connection->read_slot_}; }
    void operator()(const boost::system::error_code& ec, std::size_t bytes) const { connection->on_read(ec, bytes); }
};

void UpstreamConnection::start_read()
{
    read_pending_ = true;
    result_ready_ = false;
    stream_.socket().async_read_some(asio::mutable_buffer{buffer_.get() + end_, capacity_ - end_}, Completed{this});
}

struct UpstreamConnection::Turn {
    using allocator_type = SlotAllocator<char>;
    UpstreamConnection* connection;

    allocator_type get_allocator() const noexcept { return allocator_type{connection->read_slot_}; }
    void operator()() const
    {
        if (connection->dying_)
            delete connection;
        else if (connection->stream_.cancels() != connection->cancels_)
            connection->on_read(asio::error::operation_aborted, 0);
        else
            connection->start_read();
    }
};

// After a request was sent: lets everything else that is ready go first, so that the first attempt rarely finds
// nothing.
void UpstreamConnection::start_read_in_turn()
{
    read_pending_ = true;
    result_ready_ = false;
    cancels_ = stream_.cancels();
    asio::post(stream_.socket().get_executor(), Turn{this});
}

void UpstreamConnection::on_read(const boost::system::error_code& ec, std::size_t bytes)
{
    read_pending_ = false;
    if (dying_) {
        delete this;
        return;
    }
    result_.ec = ec;
    result_.bytes = bytes;
    result_ready_ = true;
    end_ += bytes;
    if (waiting_)
        std::exchange(waiting_, nullptr).resume();
    else if (idle_)
        pool_.forget_idle(this); // closed by the upstream, overdue, or bytes that nobody asked for
}

bool UpstreamConnection::Receive::await_ready()
{
    UpstreamConnection& c = connection_;
    if (c.result_ready_)
        return true;
    if (c.read_pending_)
        return false;
    if (c.begin_ > 0) {
        std::memmove(c.buffer_.get(), c.buffer_.get() + c.begin_, c.end_ - c.begin_);
        c.end_ -= c.begin_;
        c.begin_ = 0;
    }
    full_ = c.end_ == c.capacity_;
    if (!full_)
        c.start_read_in_turn();
    return full_;
}

IoResult UpstreamConnection::Receive::await_resume() noexcept
{
    if (full_)
        return {asio::error::no_buffer_space, 0};
    connection_.result_ready_ = false;
    return connection_.result_;
}

UpstreamLease& UpstreamLease::operator=(UpstreamLease&& other) noexcept
{
    if (this != &other) {
        discard();
        pool_ = other.pool_;
        connection_ = std::exchange(other.connection_, nullptr);
        reused_ = other.reused_;
    }
    return *this;
}

void UpstreamLease::give_back() noexcept
{
    if (connection_ != nullptr)
        pool_->give_back(std::exchange(connection_, nullptr));
}

void UpstreamLease::discard() noexcept
{
    if (connection_ != nullptr)
        pool_->discard(std::exchange(connection_, nullptr));
}

UpstreamPool::UpstreamPool(Options options, Worker& worker, BlockingPool& resolver, WorkerMetrics& metrics)
    : options_(std::move(options)), worker_(worker), resolver_(resolver), metrics_(metrics)
{
    idle_.reserve(options_.max_idle);
}

UpstreamPool::~UpstreamPool()
{
    close();
}

UpstreamLease UpstreamPool::take_idle() noexcept
{
    if (idle_.empty())
        return {};
    UpstreamConnection* connection = idle_.back();
    idle_.pop_back();
    connection->idle_ = false;
    connection->stream_.read_by(k_never);
    metrics_.upstream_reuses.add();
    return UpstreamLease{*this, connection, true};
}

Task<boost::system::error_code> UpstreamPool::resolve()
{
    boost::system::error_code ec;
    if (!endpoints_.empty() && worker_.coarse_now() < resolved_until_)
        co_return ec;
    const auto literal = asio::ip::make_address(options_.host, ec);
    if (!ec) {
        endpoints_.assign(1, Tcp::endpoint{literal, options_.port});
        resolved_until_ = k_never;
        co_return ec;
    }
    // getaddrinfo blocks: it runs on the blocking pool.
    std::vector<Tcp::endpoint> found;
    auto look_up = [this, &found, &ec] {
        asio::io_context scratch;
        asio::ip::tcp::resolver resolver{scratch};
        for (const auto& entry : resolver.resolve(options_.host, std::to_string(options_.port), ec))
            found.push_back(entry.endpoint());
    };
    awaitable<void> looking = offload(resolver_, std::move(look_up));
    FromAwaitable<void> looked{worker_.executor(), std::move(looking)};
    co_await looked;
    if (!ec && !found.empty()) {
        endpoints_ = std::move(found);
        resolved_until_ = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    } else if (!endpoints_.empty()) {
        ec = {}; // the last known addresses are better than none
    }
    co_return ec;
}

Task<UpstreamPool::Connected> UpstreamPool::connect()
{
    Connected out;
    out.ec = co_await resolve();
    if (out.ec)
        co_return out;
    auto* connection = new UpstreamConnection{*this, options_.buffer_bytes};
    metrics_.upstream_open.add();
    UpstreamLease lease{*this, connection, false};
    connection->stream_.read_by(std::chrono::steady_clock::now() + options_.connect);
    const Tcp::endpoint to = endpoints_[next_endpoint_++ % endpoints_.size()];
    out.ec = co_await connection->stream_.connect(to);
    connection->stream_.read_by(k_never);
    if (out.ec) {
        metrics_.upstream_connect_failures.add();
        if (connection->stream_.read_timed_out())
            out.ec = asio::error::timed_out;
        co_return out;
    }
    boost::system::error_code ignored;
    connection->stream_.socket().set_option(Tcp::no_delay(true), ignored);
    metrics_.upstream_connects.add();
    out.lease = std::move(lease);
    co_return out;
}

void UpstreamPool::give_back(UpstreamConnection* connection)
{
    // Bytes beyond the response, or a read that already ended, make it unfit.
    if (closed_ || idle_.size() >= options_.max_idle || connection->result_ready_ || !connection->unread().empty()) {
        discard(connection);
        return;
    }
    connection->idle_ = true;
    connection->stream_.read_by(worker_.coarse_now() + options_.keep_alive);
    idle_.push_back(connection);
}

void UpstreamPool::watch_idle()
{
    // Starting a read never completes it here, so the list does not change under the loop.
    for (UpstreamConnection* connection : idle_) {
        if (!connection->read_pending_) {
            connection->begin_ = connection->end_ = 0;
            connection->start_read();
        }
    }
}

void UpstreamPool::discard(UpstreamConnection* connection) noexcept
{
    metrics_.upstream_open.sub();
    connection->stream_.close();
    if (connection->read_pending_) {
        connection->dying_ = true; // its pending read ends with an error and frees it
        connection->idle_ = false;
        connection->waiting_ = nullptr;
    } else {
        delete connection;
    }
}

void UpstreamPool::forget_idle(UpstreamConnection* connection) noexcept
{
    std::erase(idle_, connection);
    discard(connection);
}

void UpstreamPool::close()
{
    closed_ = true;
    while (!idle_.empty()) {
        UpstreamConnection* connection = idle_.back();
        idle_.pop_back();
        discard(connection);
    }
}

} // namespace gw
