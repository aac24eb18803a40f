// What a run measured: every latency, the statuses, and failures told apart by what they mean to a caller.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace load {

enum class Failure : std::uint8_t {
    connect,           // no connection (refused, timed out)
    closed_unread,     // closed before a byte of the answer, and the peer's kernel says our request was not read
    closed_after_read, // closed before a byte of the answer by an orderly end, our request had been taken
    truncated,         // ended in the middle of an answer
    broken,            // an answer that is not HTTP, or bytes nobody asked for
    timeout,           // no complete answer in time
    count_
};

class Tally {
public:
    ~Tally();
    // Every response is also written to `path`: "<sent ns> <received ns> <status>" on CLOCK_MONOTONIC.
    void log_to(const std::string& path); // throws std::runtime_error
    // Times in nanoseconds. `due` is when the request should have gone out: latency counts from it, so that
    // a stalled server cannot hide its stall by slowing the generator down.
    void response(int status, std::int64_t due, std::int64_t sent, std::int64_t received, std::uint64_t body_bytes);
    void failure(Failure kind) { ++failures_[static_cast<std::size_t>(kind)]; }
    // Keeps what is counted from now on only (end of warm-up).
    void restart();

    std::uint64_t responses() const noexcept { return latencies_.size(); }
    // One JSON object; `wall_seconds` is the measured time.
    std::string json(double wall_seconds);

private:
    std::vector<std::uint32_t> latencies_; // in units of 100 ns
    std::map<int, std::uint64_t> statuses_;
    std::uint64_t failures_[static_cast<std::size_t>(Failure::count_)] = {};
    std::uint64_t body_bytes_ = 0;
    std::int64_t most_behind_ = 0;
    std::FILE* log_ = nullptr;
};

} // namespace load
