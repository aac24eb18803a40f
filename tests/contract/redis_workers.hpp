// Workers with the fleet's limiter, each with a thread, an io_context and a connection of its own, and a limiter in
// front of them that gives each calling thread to one of them: as the nodes of a fleet, but in one process.
#pragma once

#include "adapters/redis/rate_limiter.hpp"
#include "support/redis/redis_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace gw::test {

class RedisWorker {
public:
    RedisWorker(redis::Options options, redis::RateLimiterOptions limits, redis::OutageBoard& board)
        : options_(std::move(options)), metrics_(1), guard_(context_.get_executor())
    {
        client_ = redis::create_client(context_.get_executor(), options_);
        limiter_ = std::make_unique<redis::RateLimiter>(*client_, context_.get_executor(), metrics_, board, std::move(limits));
        asio::co_spawn(context_.get_executor(), ticking(), [](std::exception_ptr) {});
        thread_ = std::thread{[this] { context_.run(); }};
    }
    ~RedisWorker()
    {
        asio::post(context_, [this] {
            stopping_ = true;
            client_.reset();
            guard_.reset();
        });
        thread_.join();
    }

    // On the worker's thread; returns when it has been done.
    template <class F>
    void on_thread(F work)
    {
        std::promise<void> done;
        asio::post(context_, [&] {
            work();
            done.set_value();
        });
        done.get_future().get();
    }
    void run(awaitable<void> work)
    {
        std::promise<void> done;
        asio::co_spawn(context_.get_executor(), std::move(work), [&done](std::exception_ptr error) {
            if (error)
                done.set_exception(error);
            else
                done.set_value();
        });
        done.get_future().get();
    }

    redis::RateLimiter& limiter() noexcept { return *limiter_; }
    WorkerMetrics& metrics() noexcept { return metrics_; }

private:
    awaitable<void> ticking()
    {
        Timer timer{context_.get_executor()};
        while (!stopping_) {
            timer.expires_after(std::chrono::milliseconds{20});
            co_await timer.async_wait(no_throw);
            if (!stopping_)
                limiter_->tick(MonoTime::clock::now());
        }
    }

    redis::Options options_;
    WorkerMetrics metrics_;
    std::unique_ptr<redis::RateLimiter> limiter_; // outlives the calls that the client abandons
    asio::io_context context_{1};
    std::unique_ptr<redis::Client> client_;
    asio::executor_work_guard<Executor> guard_;
    bool stopping_ = false;
    std::thread thread_;
};

class RedisFleet final : public RateLimiter {
public:
    RedisFleet(const redis::Options& options, const redis::RateLimiterOptions& limits, int workers)
    {
        for (int i = 0; i < workers; ++i)
            workers_.push_back(std::make_unique<RedisWorker>(copy_of(options), limits, board_));
    }

    void try_charge(std::span<const Charge> charges, std::uint64_t cost, MonoTime now, WallTime wall,
                    LimitAnswer& answer) noexcept override
    {
        RedisWorker& worker = mine();
        worker.on_thread([&] { worker.limiter().try_charge(charges, cost, now, wall, answer); });
    }
    awaitable<void> charge(std::span<const Charge> charges, std::uint64_t cost, LimitAnswer& answer) override
    {
        RedisWorker& worker = mine();
        worker.run(worker.limiter().charge(charges, cost, answer));
        co_return;
    }
    void refund(std::span<const Charge> charges, std::uint64_t cost) noexcept override
    {
        RedisWorker& worker = mine();
        worker.on_thread([&] { worker.limiter().refund(charges, cost); });
    }
    void release(std::span<const Charge> charges, LimitAnswer& answer) noexcept override
    {
        RedisWorker& worker = mine();
        worker.on_thread([&] { worker.limiter().release(charges, answer); });
    }
    void close()
    {
        for (auto& worker : workers_)
            worker->run(worker->limiter().leave());
    }

    RedisWorker& worker(std::size_t i) { return *workers_[i]; }
    std::uint64_t calls() const
    {
        std::uint64_t sum = 0;
        for (const auto& worker : workers_)
            sum += worker->metrics().limiter_calls.value();
        return sum;
    }
    const redis::OutageBoard& board() const noexcept { return board_; }

private:
    static redis::Options copy_of(const redis::Options& options)
    {
        redis::Options copy;
        copy.server = options.server;
        copy.command_timeout = options.command_timeout;
        copy.connect_timeout = options.connect_timeout;
        return copy;
    }
    RedisWorker& mine()
    {
        const std::lock_guard lock{mutex_};
        const auto place = places_.try_emplace(std::this_thread::get_id(), places_.size()).first;
        return *workers_[place->second % workers_.size()];
    }

    redis::OutageBoard board_;
    std::vector<std::unique_ptr<RedisWorker>> workers_;
    std::mutex mutex_;
    std::map<std::thread::id, std::size_t> places_;
};

} // namespace gw::test
