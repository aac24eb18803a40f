// Revocation, and every other change of a record, on its way to the workers: reads the change sequence every 200 ms,
// at once when something in this process changed, and hands what is new to all workers. One per process, on the
// control io_context; its members are for that thread except where they say otherwise.
#pragma once

#include "domain/errors.hpp"
#include "domain/key_record.hpp"
#include "net/asio.hpp"
#include "observe/metrics.hpp"

#include <chrono>
#include <functional>
#include <vector>

namespace gw {

class KeyStore;

struct ChangeFeedSettings {
    std::chrono::milliseconds interval{200}; // DESIGN.md section 5: at most 500 ms
    std::size_t batch = 1000;
};

class ChangeFeed {
public:
    // Gives `changes` (perhaps none) to every worker, in order, and then tells each that the sequence was read
    // completely at `current_at`. While a long backlog is being read, `current_at` stays where it was before:
    // MonoTime::min() if nothing was read completely yet.
    using Dispatch = std::function<void(const std::vector<Change>& changes, MonoTime current_at)>;

    // The references must outlive the feed, and the feed must outlive the last run of the executor's io_context.
    ChangeFeed(ChangeFeedSettings settings, Executor executor, KeyStore& keys, Dispatch dispatch, Metrics& metrics);

    // Takes the end of the sequence as the place to begin: to be awaited before any worker verifies a key.
    awaitable<result<void>> start();
    // Polls until stop(). A store that does not answer is asked again at the next interval.
    awaitable<void> run();
    // One reading of all that is new; what run() repeats. Readings may overlap: then some changes are given twice.
    awaitable<result<void>> poll();

    // Reads at once, or once more if a reading is under way. Any thread.
    void wake();
    // Ends run() after the reading under way. Any thread.
    void stop();

    // Dispatched up to here. Executor's thread.
    std::uint64_t position() const noexcept { return position_; }
    bool is_stopping() const noexcept { return stopping_; }

private:
    void set_healthy(bool healthy, const error_code& fault = {});

    ChangeFeedSettings settings_;
    Executor executor_;
    KeyStore& keys_;
    Dispatch dispatch_;
    Metrics& metrics_;
    Timer timer_;
    std::uint64_t position_ = 0;
    MonoTime current_at_ = MonoTime::min();
    bool started_ = false, woken_ = false, stopping_ = false, was_healthy_ = true;
};

} // namespace gw
