// Counters and histograms, kept per worker without any lock and summed when scraped. Labels are bounded:
// never a key, an owner or a raw path.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gw {

// One writer (the worker's thread), any readers.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    void sub(std::uint64_t n = 1) noexcept { value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// Any writers, any readers.
class SharedCounter {
public:
    void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
    void sub(std::uint64_t n = 1) noexcept { value_.fetch_sub(n, std::memory_order_relaxed); }
    void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// Times in microseconds; bucket i holds what is at most 2^i x 16 us, i = 0..19 (16 us .. 8.4 s), then +Inf.
class Histogram {
public:
    static constexpr std::size_t k_buckets = 21;
    void observe(std::uint64_t microseconds) noexcept;
    std::uint64_t bucket(std::size_t i) const noexcept { return counts_[i].value(); }
    std::uint64_t sum_us() const noexcept { return sum_.value(); }
    static double upper_bound_seconds(std::size_t i) noexcept; // infinity for the last

private:
    std::array<Counter, k_buckets> counts_;
    Counter sum_;
};

// How requests ended, as one closed list: the label `outcome`.
enum class Outcome : std::uint8_t {
    proxied, refused_request, no_route, method_not_allowed, unauthenticated, forbidden, limited, too_many_failures,
    overloaded, store_unavailable, upstream_failed, upstream_timeout, client_gone, internal_error, count_
};
const char* to_string(Outcome outcome) noexcept;

// The label `result` of portcullis_auth_decisions_total.
enum class AuthDecision : std::uint8_t {
    ok, none_needed, missing, malformed, unknown, revoked, expired, disabled, ip_denied, scope_denied, wrong_environment,
    tenant_denied, too_many_failures, overloaded, unavailable, count_
};
const char* to_string(AuthDecision decision) noexcept;

// What one route counted on one worker.
struct RouteMetrics {
    std::array<Counter, 6> by_class;  // 0: none sent, 1..5: 1xx..5xx
    std::array<Counter, static_cast<std::size_t>(Outcome::count_)> by_outcome;
    Histogram duration;        // whole request
    Histogram upstream_time;   // from sending the head upstream to the response's head
    Histogram gateway_time;    // duration less upstream time, up to the response's head
    Counter bytes_in, bytes_out;
};

// One per worker.
struct WorkerMetrics {
    explicit WorkerMetrics(std::size_t route_count) : routes(route_count + 1) {}

    std::vector<RouteMetrics> routes; // by route index; the last is "no route"
    std::array<Counter, static_cast<std::size_t>(AuthDecision::count_)> auth;
    Counter cache_hits, cache_misses, digest_store_hits;
    Counter connections_accepted, connections_open, connections_refused;
    Counter upstream_connects, upstream_reuses, upstream_connect_failures, upstream_open, upstream_retries;
    Counter limited, limited_shadow, limiter_asks;
    Counter usage_dropped;
    Counter exchanges_cut; // because their key ended
};

// Process-wide figures and the list of workers. Made before the workers, destroyed after they joined.
struct Metrics {
    std::vector<std::string> route_ids;
    std::vector<std::unique_ptr<WorkerMetrics>> workers;
    SharedCounter bcrypt_runs, hash_queue_refusals, hash_queue_depth;
    SharedCounter changes_applied, change_feed_errors, change_feed_healthy; // healthy: 0 or 1
    Histogram change_delay;          // from the commit's time stamp to applied on all workers; control thread only
    Histogram change_acknowledged;   // from the commit until the registry has this node's word for it; control thread only
    SharedCounter nodes_alive, changes_unacknowledged, node_beat_errors;
    SharedCounter usage_flushes, usage_flush_errors, usage_pending_rows;
    SharedCounter quota_debits, audit_write_failures, admin_requests, log_lines_dropped;
    SharedCounter ready;             // 0 or 1
    std::int64_t started_at_seconds = 0;

    explicit Metrics(std::vector<std::string> ids) : route_ids(std::move(ids)) {}
    WorkerMetrics& add_worker();
    // Prometheus text exposition format 0.0.4, every series with HELP and TYPE, names portcullis_*.
    std::string prometheus() const;
};

} // namespace gw
