// One server at a time: a standalone one, or the primary that the sentinels name.
#pragma once

#include "adapters/redis/awaited.hpp"
#include "adapters/redis/connection.hpp"
#include "adapters/redis/sentinel.hpp"

#include <memory>

namespace gw::redis {

class SingleClient final : public AwaitableCalls, AnswerFilter {
public:
    SingleClient(Executor executor, const Options& options);
    ~SingleClient() override;

    bool start(Pending& pending) override;
    bool is_up() const noexcept override { return connection_->is_up(); }
    const Figures& figures() const noexcept override { return figures_; }

private:
    void settle(Pending& pending, result<Reply> answer) override;

    const Options& options_;
    Figures figures_;
    TlsContext tls_;           // null: plain
    Sentinels::Ptr sentinels_; // null: standalone
    Connection::Ptr connection_;
};

} // namespace gw::redis
