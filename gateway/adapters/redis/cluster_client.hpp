// A Redis Cluster: each command goes to the primary of its key's slot, and follows where servers send it.
#pragma once

#include "adapters/redis/awaited.hpp"
#include "adapters/redis/slot_table.hpp"

#include <memory>
#include <vector>

namespace gw::redis {

class ClusterClient final : public AwaitableCalls, AnswerFilter, Waiting {
public:
    ClusterClient(Executor executor, const Options& options);
    ~ClusterClient() override;

    bool start(Pending& pending) override;
    bool is_up() const noexcept override { return table_->is_up(); }
    const Figures& figures() const noexcept override { return figures_; }

private:
    // At most so many MOVED and ASK for one command.
    static constexpr std::uint8_t k_max_redirections = 5;

    void settle(Pending& pending, result<Reply> answer) override;
    bool send_on(Pending& pending, const Reply& error);
    bool submit(Pending& pending);
    void retry_later(Pending& pending);
    void retry();
    void forget(Pending& pending) noexcept override { std::erase(again_, &pending); }

    const Options& options_;
    Figures figures_;
    TlsContext tls_; // null: plain
    SlotTable::Ptr table_;
    std::vector<Pending*> again_; // were answered TRYAGAIN
    Timer retry_timer_;
};

} // namespace gw::redis
