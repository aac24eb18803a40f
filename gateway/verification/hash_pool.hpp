// Step 6 of the ladder: bcrypt, on a bounded number of threads of its own at low priority. One flight per
// (key_id, version, presented secret, stored hash), whichever workers ask; flights run in the order they were asked
// for, so that no secret, however often it is presented, holds up another for longer than one run.
#pragma once

#include "domain/api_key.hpp"
#include "domain/secret.hpp"
#include "net/asio.hpp"
#include "observe/metrics.hpp"

#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gw {

class HashPool {
public:
    enum class Verdict : std::uint8_t {
        matches,
        differs,
        overloaded, // the queue is full, or the pool has stopped
    };

    // `queue_limit`: flights that wait, besides those that run. `metrics` must outlive the pool.
    HashPool(unsigned threads, std::size_t queue_limit, Metrics& metrics);
    // Stops and joins.
    ~HashPool();
    HashPool(const HashPool&) = delete;
    HashPool& operator=(const HashPool&) = delete;

    // Does `secret` have the bcrypt hash `hash`? Any thread; resumes on the caller's executor. `secret` and `hash`
    // are copied before the first suspension.
    awaitable<Verdict> verify(const KeyId& id, std::uint32_t version, std::string_view secret, const std::string& hash);

    // Ends the run in progress and answers all others `overloaded`. Call it while the callers' io_contexts still
    // exist; afterwards nobody waits here. Any thread; again is harmless.
    void stop();

private:
    struct Subject {
        KeyId id;
        std::uint32_t version = 0;
        Sha256 secret{}, hash{}; // SHA-256 of either
        friend auto operator<=>(const Subject&, const Subject&) = default;
    };
    // Somebody's coroutine; `wake` posts its continuation to its own executor.
    struct Waiter {
        virtual ~Waiter() = default;
        virtual void wake(Verdict verdict) = 0;
    };
    template <class Handler>
    struct WaiterFor;
    struct Flight {
        Secret secret;
        std::string hash;
        std::vector<std::unique_ptr<Waiter>> waiters;
    };

    awaitable<Verdict> wait_for(Subject subject, Secret secret, std::string hash);
    // Takes the waiter only if there is something to wait for.
    std::optional<Verdict> join(const Subject& subject, Secret& secret, std::string& hash,
                                std::unique_ptr<Waiter>& waiter);
    void run();
    void finish(const Subject& subject, Verdict verdict);

    const std::size_t queue_limit_;
    Metrics& metrics_;
    std::mutex mutex_;
    std::condition_variable work_;
    bool stopping_ = false;
    std::map<Subject, Flight> flights_;   // queued and running
    std::deque<Subject> queue_;           // in order of arrival
    // The last successes: whoever read the record a moment before another's flight ended need not repeat it.
    std::array<std::optional<Subject>, 256> recent_;
    std::size_t next_recent_ = 0;
    std::vector<std::thread> threads_;
};

} // namespace gw
