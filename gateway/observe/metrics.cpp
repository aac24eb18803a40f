#include "observe/metrics.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace gw {

void Histogram::observe(std::uint64_t microseconds) noexcept
{
    // The smallest i with microseconds <= 16 x 2^i.
    const std::size_t i = microseconds <= 16 ? 0 : static_cast<std::size_t>(std::bit_width((microseconds - 1) >> 4));
    counts_[std::min(i, k_buckets - 1)].add();
    sum_.add(microseconds);
}

void WaitHistogram::observe(std::uint64_t microseconds) noexcept
{
    std::size_t i = 0;
    while (i < k_bounds_us.size() && microseconds > k_bounds_us[i])
        ++i;
    counts_[i].add();
    sum_.add(microseconds);
}

double Histogram::upper_bound_seconds(std::size_t i) noexcept
{
    if (i + 1 >= k_buckets)
        return std::numeric_limits<double>::infinity();
    return static_cast<double>(std::uint64_t{16} << i) / 1e6;
}

const char* to_string(Outcome outcome) noexcept
{
    switch (outcome) {
    case Outcome::proxied: return "proxied";
    case Outcome::refused_request: return "refused_request";
    case Outcome::no_route: return "no_route";
    case Outcome::method_not_allowed: return "method_not_allowed";
    case Outcome::unauthenticated: return "unauthenticated";
    case Outcome::forbidden: return "forbidden";
    case Outcome::limited: return "limited";
    case Outcome::too_many_failures: return "too_many_failures";
    case Outcome::overloaded: return "overloaded";
    case Outcome::store_unavailable: return "store_unavailable";
    case Outcome::upstream_failed: return "upstream_failed";
    case Outcome::upstream_timeout: return "upstream_timeout";
    case Outcome::client_gone: return "client_gone";
    case Outcome::internal_error: return "internal_error";
    case Outcome::count_: break;
    }
    return "unknown";
}

const char* to_string(AuthDecision decision) noexcept
{
    switch (decision) {
    case AuthDecision::ok: return "ok";
    case AuthDecision::none_needed: return "none_needed";
    case AuthDecision::missing: return "missing";
    case AuthDecision::malformed: return "malformed";
    case AuthDecision::unknown: return "unknown";
    case AuthDecision::revoked: return "revoked";
    case AuthDecision::expired: return "expired";
    case AuthDecision::disabled: return "disabled";
    case AuthDecision::ip_denied: return "ip_denied";
    case AuthDecision::scope_denied: return "scope_denied";
    case AuthDecision::wrong_environment: return "wrong_environment";
    case AuthDecision::tenant_denied: return "tenant_denied";
    case AuthDecision::too_many_failures: return "too_many_failures";
    case AuthDecision::overloaded: return "overloaded";
    case AuthDecision::unavailable: return "unavailable";
    case AuthDecision::count_: break;
    }
    return "unknown";
}

WorkerMetrics& Metrics::add_worker()
{
    return *workers.emplace_back(std::make_unique<WorkerMetrics>(route_ids.size()));
}

} // namespace gw
