// Asks the sentinels who the primary is, and goes on asking: a failover that leaves the old primary standing,
// cut off from the others, would otherwise go unnoticed.
#pragma once

#include "adapters/redis/connection.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <random>
#include <vector>

namespace gw::redis {

class Sentinels final : public boost::intrusive_ref_counter<Sentinels, boost::thread_unsafe_counter> {
public:
    using Ptr = boost::intrusive_ptr<Sentinels>;

    // References must outlive close().
    Sentinels(Executor executor, const Options& options, asio::ssl::context* tls, Figures& figures);

    // The address that the first sentinel to answer knows; that one is asked first the next time.
    // errc::unavailable: none knows one.
    static awaitable<result<Server>> primary(Ptr self);
    // Asks every few seconds and ends `connection`'s link if the primary is another server by now. Until
    // close().
    static void watch(Ptr self, Connection::Ptr connection);
    void close() noexcept;

private:
    Connection& sentinel(std::size_t index);
    static awaitable<void> keep_watch(Ptr self, Connection::Ptr connection);

    Executor executor_;
    const Options& options_;
    asio::ssl::context* tls_;
    Figures* figures_;
    std::vector<Connection::Ptr> sentinels_; // connected when first asked
    std::vector<std::string> question_;
    std::size_t preferred_ = 0;
    bool closed_ = false;
    Timer timer_;
    std::minstd_rand random_;
};

} // namespace gw::redis
