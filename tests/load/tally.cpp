// Percentiles are exact: every latency is kept (4 bytes each), none is put into a bucket.
#include "tally.hpp"

#include <algorithm>
#include <stdexcept>

namespace load {

Tally::~Tally()
{
    if (log_ != nullptr)
        std::fclose(log_);
}

void Tally::log_to(const std::string& path)
{
    log_ = std::fopen(path.c_str(), "w");
    if (log_ == nullptr)
        throw std::runtime_error{"cannot write " + path};
}

void Tally::response(int status, std::int64_t due, std::int64_t sent, std::int64_t received, std::uint64_t body_bytes)
{
    const std::int64_t units = std::clamp<std::int64_t>((received - due) / 100, 0, UINT32_MAX);
    latencies_.push_back(static_cast<std::uint32_t>(units));
    ++statuses_[status];
    body_bytes_ += body_bytes;
    most_behind_ = std::max(most_behind_, sent - due);
    if (log_ != nullptr)
        std::fprintf(log_, "%lld %lld %d\n", static_cast<long long>(sent), static_cast<long long>(received), status);
}

void Tally::restart()
{
    latencies_.clear();
    statuses_.clear();
    std::fill(std::begin(failures_), std::end(failures_), 0);
    body_bytes_ = 0;
    most_behind_ = 0;
}

std::string Tally::json(double wall_seconds)
{
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double share) {
        if (latencies_.empty())
            return 0.0;
        const auto rank = static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1) + 0.5);
        return static_cast<double>(latencies_[rank]) / 10.0;
    };
    static constexpr const char* k_names[] = {"connect", "closed_unread", "closed_after_read",
                                              "truncated", "broken", "timeout"};
    std::string out;
    char text[256];
    std::snprintf(text, sizeof text, "{\"seconds\": %.3f, \"responses\": %zu, \"rate\": %.1f, \"body_bytes\": %llu, ",
                  wall_seconds, latencies_.size(), static_cast<double>(latencies_.size()) / wall_seconds,
                  static_cast<unsigned long long>(body_bytes_));
    out += text;
    std::snprintf(text, sizeof text,
                  "\"latency_us\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}, "
                  "\"most_behind_us\": %.1f, ",
                  at(0.5), at(0.9), at(0.99), at(0.999), at(1.0), static_cast<double>(most_behind_) / 1e3);
    out += text;
    out += "\"statuses\": {";
    for (const auto& [status, count] : statuses_)
        out += (out.back() == '{' ? "\"" : ", \"") + std::to_string(status) + "\": " + std::to_string(count);
    out += "}, \"failures\": {";
    for (std::size_t i = 0; i < std::size(failures_); ++i)
        out += (i == 0 ? "\"" : ", \"") + std::string{k_names[i]} + "\": " + std::to_string(failures_[i]);
    return out + "}}";
}

} // namespace load
