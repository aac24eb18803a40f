// The primaries of a cluster and the slots that each serves, kept up to date in the background: asked for
// again when a server redirects, when a connection is lost, and every few seconds.
#pragma once

#include "adapters/redis/connection.hpp"
#include "adapters/redis/slot_map.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <random>
#include <vector>

namespace gw::redis {

class SlotTable final : public boost::intrusive_ref_counter<SlotTable, boost::thread_unsafe_counter> {
public:
    using Ptr = boost::intrusive_ptr<SlotTable>;

    // References must outlive close().
    SlotTable(Executor executor, const Options& options, asio::ssl::context* tls, Figures& figures);

    static void start(Ptr self);
    void close() noexcept;

    // Null: nobody serves the slot. Until the first map has come, the server of the options stands for all:
    // it redirects.
    Connection* owner_of(std::uint16_t slot);
    // Of any slot: one that answers, if there is one.
    Connection& any();
    bool is_up() const noexcept;
    // What a server has said: MOVED.
    void assign(std::uint16_t slot, const Server& server);
    // The connection to a server that a redirection named.
    Connection& connection_to(const Server& server);
    Server server_of(std::uint16_t slot) const;
    void refresh_soon();
    bool is_closed() const noexcept { return closed_; }

private:
    static constexpr std::uint16_t k_nobody = 0xFFFF;

    struct Node {
        Server server;
        Connection::Ptr connection;
        SteadyTime keep_until{}; // though the map does not name it
    };

    static awaitable<void> keep(Ptr self);
    static awaitable<void> refresh(Ptr self);
    awaitable<void> pause(std::chrono::milliseconds at_least);
    void apply(const std::vector<SlotRange>& ranges);
    std::uint16_t index_of(const Server& server);
    bool has_gap() const noexcept;

    Executor executor_;
    const Options& options_;
    asio::ssl::context* tls_;
    Figures* figures_;
    std::vector<Node> nodes_;
    std::array<std::uint16_t, k_cluster_slots> owners_{}; // index of nodes_, or k_nobody
    std::vector<std::string> question_{"CLUSTER", "SLOTS"};
    std::size_t next_asked_ = 0;
    bool closed_ = false, wanted_ = false, resting_ = false;
    Timer timer_;
    std::minstd_rand random_;
};

} // namespace gw::redis
