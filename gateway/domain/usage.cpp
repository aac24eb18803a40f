// Adding up counts.
#include "domain/usage.hpp"

namespace gw {

void UsageCounts::add(const UsageCounts& other) noexcept
{
    requests += other.requests;
    status_4xx += other.status_4xx;
    status_5xx += other.status_5xx;
    status_401 += other.status_401;
    status_403 += other.status_403;
    status_429 += other.status_429;
    bytes_in += other.bytes_in;
    bytes_out += other.bytes_out;
    latency_us_sum += other.latency_us_sum;
    for (std::size_t i = 0; i < k_latency_buckets; ++i)
        latency[i] += other.latency[i];
}

} // namespace gw
