#include "verification/hash_pool.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

#include <sys/resource.h>

namespace gw {

namespace {

// Warm requests are served before anybody's first use is hashed. Linux: the calling thread alone.
void lower_priority() noexcept
{
    constexpr int k_niceness = 10;
    static_cast<void>(setpriority(PRIO_PROCESS, 0, k_niceness)); // worth having, not worth failing for
}

} // namespace

template <class Handler>
struct HashPool::WaiterFor final : HashPool::Waiter {
    WaiterFor(Handler h, const Executor& executor) : handler(std::move(h)), guard(executor) {}

    void wake(Verdict verdict) override
    {
        // The guard travels along: once the continuation has run, this thread must not touch the io_context again.
        const Executor executor = guard.get_executor();
        asio::post(executor, [keep = std::move(guard), resume = std::move(handler), verdict]() mutable {
            std::move(resume)(verdict);
        });
    }

    Handler handler;
    asio::executor_work_guard<Executor> guard;
};

HashPool::HashPool(unsigned threads, std::size_t queue_limit, Metrics& metrics)
    : queue_limit_(queue_limit), metrics_(metrics)
{
    for (unsigned i = 0; i < std::max(threads, 1u); ++i)
        threads_.emplace_back([this] { run(); });
}

HashPool::~HashPool()
{
    stop();
}

awaitable<HashPool::Verdict> HashPool::verify(const KeyId& id, std::uint32_t version, std::string_view secret,
                                              const std::string& hash)
{
    Subject subject{id, version, sha256(secret), sha256(hash)};
    return wait_for(subject, Secret{std::string{secret}}, hash);
}

awaitable<HashPool::Verdict> HashPool::wait_for(Subject subject, Secret secret, std::string hash)
{
    const Executor executor = co_await asio::this_coro::executor;
    auto initiate = [&](auto handler) {
        using Handler = decltype(handler);
        auto typed = std::make_unique<WaiterFor<Handler>>(std::move(handler), executor);
        std::unique_ptr<Waiter> waiter = std::move(typed);
        if (const auto verdict = join(subject, secret, hash, waiter))
            waiter->wake(*verdict);
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Verdict)>(initiate, may_throw);
}

std::optional<HashPool::Verdict> HashPool::join(const Subject& subject, Secret& secret, std::string& hash,
                                                std::unique_ptr<Waiter>& waiter)
{
    const std::lock_guard lock{mutex_};
    if (stopping_)
        return Verdict::overloaded;
    if (const auto flight = flights_.find(subject); flight != flights_.end()) {
        flight->second.waiters.push_back(std::move(waiter));
        return std::nullopt;
    }
    if (std::find(recent_.begin(), recent_.end(), subject) != recent_.end())
        return Verdict::matches;
    if (queue_.size() >= queue_limit_) {
        metrics_.hash_queue_refusals.add();
        return Verdict::overloaded;
    }
    Flight& flight = flights_[subject];
    flight.secret = std::move(secret);
    flight.hash = std::move(hash);
    flight.waiters.push_back(std::move(waiter));
    queue_.push_back(subject);
    metrics_.hash_queue_depth.set(queue_.size());
    work_.notify_one();
    return std::nullopt;
}

void HashPool::run()
{
    lower_priority();
    std::unique_lock lock{mutex_};
    for (;;) {
        work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_)
            return;
        const Subject subject = queue_.front();
        queue_.pop_front();
        metrics_.hash_queue_depth.set(queue_.size());
        const Flight& flight = flights_.at(subject); // stays until finish(); joiners touch `waiters` only
        lock.unlock();
        metrics_.bcrypt_runs.add();
        const bool matches = verify_api_key(flight.secret.reveal(), flight.hash);
        lock.lock();
        finish(subject, matches ? Verdict::matches : Verdict::differs);
    }
}

// With the mutex held. Waking only posts, so no caller runs in here.
void HashPool::finish(const Subject& subject, Verdict verdict)
{
    auto node = flights_.extract(subject);
    if (verdict == Verdict::matches) {
        recent_[next_recent_] = subject;
        next_recent_ = (next_recent_ + 1) % recent_.size();
    }
    for (auto& waiter : node.mapped().waiters)
        waiter->wake(verdict);
}

void HashPool::stop()
{
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        while (!queue_.empty()) {
            const Subject subject = queue_.front();
            queue_.pop_front();
            finish(subject, Verdict::overloaded);
        }
        metrics_.hash_queue_depth.set(0);
    }
    work_.notify_all();
    for (auto& thread : threads_)
        if (thread.joinable())
            thread.join();
}

} // namespace gw
