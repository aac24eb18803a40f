// Composes the Prometheus text exposition format 0.0.4: a family's HELP and TYPE once, then its samples.
// Knows nothing of what is measured.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "observe/metrics.hpp"

namespace gw {

struct MetricLabel {
    std::string_view name, value; // the value is escaped
};

class PrometheusText {
public:
    enum class Type : std::uint8_t { counter, gauge, histogram };

    // Starts a family; the samples that follow belong to it. `name` must outlive them. A family is started once.
    void family(std::string_view name, Type type, std::string_view help);
    void sample(std::initializer_list<MetricLabel> labels, std::uint64_t value);
    void sample(std::initializer_list<MetricLabel> labels, double value);
    // A family with a single sample.
    void single(std::string_view name, Type type, std::string_view help, std::uint64_t value);
    void single(std::string_view name, Type type, std::string_view help, double value);

    // A histogram's sum over workers, taken once, so that buckets and count agree while others count on.
    struct Summed {
        std::array<std::uint64_t, Histogram::k_buckets> counts{};
        std::uint64_t total = 0, sum_us = 0;
        void add(const Histogram& histogram) noexcept;
    };
    void histogram(std::initializer_list<MetricLabel> labels, const Summed& summed);

    // The same of a WaitHistogram without labels.
    struct SummedWaits {
        std::array<std::uint64_t, WaitHistogram::k_buckets> counts{};
        std::uint64_t total = 0, sum_us = 0;
        void add(const WaitHistogram& histogram) noexcept;
    };
    void histogram(const SummedWaits& summed);

    std::string take() && { return std::move(text_); }

private:
    void open_sample(std::string_view suffix, std::initializer_list<MetricLabel> labels, std::string_view le);
    void append(std::uint64_t value);
    void append(double value);

    std::string text_;
    std::string_view family_;
};

} // namespace gw
