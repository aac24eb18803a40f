#include "observe/prometheus_text.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace gw {

namespace {

void append_escaped(std::string& out, std::string_view text, bool in_quotes)
{
    for (const char c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && in_quotes)
            out += "\\\"";
        else
            out += c;
    }
}

std::string_view type_name(PrometheusText::Type type) noexcept
{
    switch (type) {
    case PrometheusText::Type::counter: return "counter";
    case PrometheusText::Type::gauge: return "gauge";
    case PrometheusText::Type::histogram: return "histogram";
    }
    return "untyped";
}

// Fixed notation with as many digits as identify the number: 0.000016, not 1.6e-05.
std::string_view write_double(double value, std::array<char, 400>& buffer) noexcept
{
    if (std::isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    if (std::isnan(value))
        return "NaN";
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
    return {buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data())};
}

} // namespace

void PrometheusText::family(std::string_view name, Type type, std::string_view help)
{
    family_ = name;
    text_.append("# HELP ").append(name).append(" ");
    append_escaped(text_, help, false);
    text_.append("\n# TYPE ").append(name).append(" ").append(type_name(type)).append("\n");
}

void PrometheusText::open_sample(std::string_view suffix, std::initializer_list<MetricLabel> labels, std::string_view le)
{
    text_.append(family_).append(suffix);
    char separator = '{';
    const auto label = [&](std::string_view name, std::string_view value) {
        text_ += separator;
        text_.append(name).append("=\"");
        append_escaped(text_, value, true);
        text_ += '"';
        separator = ',';
    };
    for (const MetricLabel& each : labels)
        label(each.name, each.value);
    if (!le.empty())
        label("le", le);
    if (separator == ',')
        text_ += '}';
    text_ += ' ';
}

void PrometheusText::append(std::uint64_t value)
{
    text_ += std::to_string(value);
    text_ += '\n';
}

void PrometheusText::append(double value)
{
    std::array<char, 400> buffer;
    text_ += write_double(value, buffer);
    text_ += '\n';
}

void PrometheusText::sample(std::initializer_list<MetricLabel> labels, std::uint64_t value)
{
    open_sample("", labels, "");
    append(value);
}

void PrometheusText::sample(std::initializer_list<MetricLabel> labels, double value)
{
    open_sample("", labels, "");
    append(value);
}

void PrometheusText::single(std::string_view name, Type type, std::string_view help, std::uint64_t value)
{
    family(name, type, help);
    sample({}, value);
}

void PrometheusText::single(std::string_view name, Type type, std::string_view help, double value)
{
    family(name, type, help);
    sample({}, value);
}

void PrometheusText::Summed::add(const Histogram& histogram) noexcept
{
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::uint64_t n = histogram.bucket(i);
        counts[i] += n;
        total += n;
    }
    sum_us += histogram.sum_us();
}

void PrometheusText::SummedWaits::add(const WaitHistogram& histogram) noexcept
{
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::uint64_t n = histogram.bucket(i);
        counts[i] += n;
        total += n;
    }
    sum_us += histogram.sum_us();
}

void PrometheusText::histogram(const SummedWaits& summed)
{
    std::array<char, 400> buffer;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < summed.counts.size(); ++i) {
        cumulative += summed.counts[i];
        const double bound = i < WaitHistogram::k_bounds_us.size() ? static_cast<double>(WaitHistogram::k_bounds_us[i]) / 1e6
                                                                   : std::numeric_limits<double>::infinity();
        open_sample("_bucket", {}, write_double(bound, buffer));
        append(cumulative);
    }
    open_sample("_sum", {}, "");
    append(static_cast<double>(summed.sum_us) / 1e6);
    open_sample("_count", {}, "");
    append(summed.total);
}

void PrometheusText::histogram(std::initializer_list<MetricLabel> labels, const Summed& summed)
{
    std::array<char, 400> buffer;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < summed.counts.size(); ++i) {
        cumulative += summed.counts[i];
        open_sample("_bucket", labels, write_double(Histogram::upper_bound_seconds(i), buffer));
        append(cumulative);
    }
    open_sample("_sum", labels, "");
    append(static_cast<double>(summed.sum_us) / 1e6);
    open_sample("_count", labels, "");
    append(summed.total);
}

} // namespace gw
