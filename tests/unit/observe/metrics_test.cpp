// Metrics as Prometheus text: every line is parsed strictly, as a scraper would.
#include "observe/metrics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

using namespace gw;

namespace {

struct Sample {
    std::string name;
    std::map<std::string, std::string> labels;
    double value = 0;
};

struct Exposition {
    std::map<std::string, std::string> types;
    std::set<std::string> helps;
    std::vector<Sample> samples;

    double value(const std::string& name, const std::map<std::string, std::string>& labels = {}) const
    {
        for (const Sample& s : samples)
            if (s.name == name && s.labels == labels)
                return s.value;
        FAIL("no sample " << name);
        return 0;
    }
};

bool is_name(const std::string& text)
{
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return !text.empty() && is_letter(text[0]) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || is_digit(c); });
}

// Reads `name="value",...` up to the closing brace; fails on anything else.
std::map<std::string, std::string> parse_labels(const std::string& text)
{
    std::map<std::string, std::string> labels;
    std::size_t i = 0;
    while (i < text.size()) {
        const std::size_t equals = text.find("=\"", i);
        REQUIRE(equals != std::string::npos);
        const std::string name = text.substr(i, equals - i);
        REQUIRE(is_name(name));
        std::string value;
        for (i = equals + 2; i < text.size() && text[i] != '"'; ++i) {
            if (text[i] == '\\') {
                ++i;
                REQUIRE(i < text.size());
                REQUIRE(std::string{"\\\"n"}.find(text[i]) != std::string::npos);
                value += text[i] == 'n' ? '\n' : text[i];
            } else {
                value += text[i];
            }
        }
        REQUIRE(i < text.size());
        REQUIRE(labels.emplace(name, value).second);
        ++i;
        if (i < text.size()) {
            REQUIRE(text[i] == ',');
            ++i;
        }
    }
    return labels;
}

// The family a sample belongs to, given the histograms seen so far.
std::string family_of(const std::string& name, const Exposition& e)
{
    for (const std::string suffix : {"_bucket", "_sum", "_count"})
        if (name.size() > suffix.size() && name.ends_with(suffix)) {
            const std::string family = name.substr(0, name.size() - suffix.size());
            if (const auto it = e.types.find(family); it != e.types.end() && it->second == "histogram")
                return family;
        }
    return name;
}

// `name{labels} value`, with nothing before, between or behind.
Sample parse_sample(const std::string& line)
{
    const std::size_t space = line.rfind(' ');
    REQUIRE(space != std::string::npos);
    const std::string number = line.substr(space + 1);
    std::string labels = line.substr(0, space);
    Sample sample;
    if (const std::size_t brace = labels.find('{'); brace != std::string::npos) {
        REQUIRE(labels.back() == '}');
        sample.labels = parse_labels(labels.substr(brace + 1, labels.size() - brace - 2));
        REQUIRE(!sample.labels.empty());
        labels.resize(brace);
    }
    sample.name = labels;
    REQUIRE(is_name(sample.name));
    const auto end = std::from_chars(number.data(), number.data() + number.size(), sample.value, std::chars_format::fixed);
    REQUIRE(end.ec == std::errc{});
    REQUIRE(end.ptr == number.data() + number.size());
    return sample;
}

Exposition parse(const std::string& text)
{
    Exposition e;
    REQUIRE(!text.empty());
    REQUIRE(text.back() == '\n');
    std::istringstream lines{text};
    std::string line, current;
    std::set<std::string> seen;
    while (std::getline(lines, line)) {
        INFO(line);
        if (line.starts_with("# HELP ")) {
            current = line.substr(7, line.find(' ', 7) - 7);
            REQUIRE(is_name(current));
            REQUIRE(line.size() > 8 + current.size());
            REQUIRE(e.helps.insert(current).second);
        } else if (line.starts_with("# TYPE ")) {
            REQUIRE(line.starts_with("# TYPE " + current + " "));
            const std::string type = line.substr(8 + current.size());
            REQUIRE((type == "counter" || type == "gauge" || type == "histogram"));
            REQUIRE(e.types.emplace(current, type).second);
        } else {
            REQUIRE(seen.insert(line.substr(0, line.rfind(' '))).second);
            Sample sample = parse_sample(line);
            REQUIRE(family_of(sample.name, e) == current);
            REQUIRE(e.types.count(current) == 1);
            if (e.types[current] == "counter")
                REQUIRE(current.ends_with("_total"));
            e.samples.push_back(std::move(sample));
        }
    }
    return e;
}

} // namespace

TEST_CASE("metrics: workers are summed under the documented names", "[observe]")
{
    Metrics metrics{{"orders", "users"}};
    WorkerMetrics& a = metrics.add_worker();
    WorkerMetrics& b = metrics.add_worker();
    a.routes[0].by_class[2].add(3);
    b.routes[0].by_class[2].add(4);
    b.routes[2].by_outcome[static_cast<std::size_t>(Outcome::no_route)].add();
    a.auth[static_cast<std::size_t>(AuthDecision::scope_denied)].add(2);
    a.cache_hits.add(10);
    a.limited.add(5);
    a.connections_open.add(2);
    b.connections_open.add();
    b.connections_open.sub();
    metrics.bcrypt_runs.add(6);
    metrics.started_at_seconds = 1'790'000'000;

    const Exposition e = parse(metrics.prometheus());

    CHECK(e.value("portcullis_requests_total", {{"route", "orders"}, {"code_class", "2xx"}}) == 7);
    CHECK(e.value("portcullis_requests_total", {{"route", "users"}, {"code_class", "5xx"}}) == 0);
    CHECK(e.value("portcullis_request_outcomes_total", {{"route", "(none)"}, {"outcome", "no_route"}}) == 1);
    CHECK(e.value("portcullis_auth_decisions_total", {{"result", "scope_denied"}}) == 2);
    CHECK(e.value("portcullis_key_cache_hits_total") == 10);
    CHECK(e.value("portcullis_rate_limited_total") == 5);
    CHECK(e.value("portcullis_connections_open") == 2);
    CHECK(e.value("portcullis_hash_runs_total") == 6);
    CHECK(e.value("portcullis_build_info", {{"version", GW_VERSION}}) == 1);
    CHECK(e.value("process_start_time_seconds") == 1'790'000'000);
    CHECK(e.value("process_resident_memory_bytes") > 100'000);
    CHECK(e.value("process_open_fds") >= 3);
    CHECK(e.value("process_cpu_seconds_total") >= 0);
}

TEST_CASE("metrics: every family has its help and type", "[observe]")
{
    Metrics metrics{{"orders"}};
    metrics.add_worker().routes[0].duration.observe(100);

    const Exposition e = parse(metrics.prometheus());

    CHECK(e.helps.size() == e.types.size());
    for (const Sample& s : e.samples)
        CHECK(e.helps.count(family_of(s.name, e)) == 1);
}

TEST_CASE("metrics: histogram buckets are cumulative and end in +Inf", "[observe]")
{
    Metrics metrics{{"orders"}};
    Histogram& h = metrics.add_worker().routes[0].duration;
    Histogram& other = metrics.add_worker().routes[0].duration;
    for (const std::uint64_t us : {0, 16, 17, 32, 33, 5000})
        h.observe(us);
    other.observe(60'000'000);

    const Exposition e = parse(metrics.prometheus());

    std::vector<std::pair<std::string, double>> buckets;
    for (const Sample& s : e.samples)
        if (s.name == "portcullis_request_duration_seconds_bucket" && s.labels.at("route") == "orders")
            buckets.emplace_back(s.labels.at("le"), s.value);
    REQUIRE(buckets.size() == Histogram::k_buckets);
    CHECK(buckets[0] == std::pair<std::string, double>{"0.000016", 2});
    CHECK(buckets[1] == std::pair<std::string, double>{"0.000032", 4});
    CHECK(buckets[2] == std::pair<std::string, double>{"0.000064", 5});
    CHECK(buckets[19] == std::pair<std::string, double>{"8.388608", 6});
    CHECK(buckets[20] == std::pair<std::string, double>{"+Inf", 7});
    for (std::size_t i = 1; i < buckets.size(); ++i)
        CHECK(buckets[i - 1].second <= buckets[i].second);
    CHECK(e.value("portcullis_request_duration_seconds_count", {{"route", "orders"}}) == 7);
    CHECK(e.value("portcullis_request_duration_seconds_sum", {{"route", "orders"}}) == Approx(60.005098));
}

TEST_CASE("metrics: label values are escaped", "[observe]")
{
    Metrics metrics{{"a\"b\\c\nd"}};
    metrics.add_worker();

    const Exposition e = parse(metrics.prometheus());

    CHECK(e.value("portcullis_requests_total", {{"route", "a\"b\\c\nd"}, {"code_class", "4xx"}}) == 0);
}

TEST_CASE("metrics: every label value has a name of its own", "[observe]")
{
    std::set<std::string> outcomes, decisions;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Outcome::count_); ++i)
        outcomes.insert(to_string(static_cast<Outcome>(i)));
    for (std::size_t i = 0; i < static_cast<std::size_t>(AuthDecision::count_); ++i)
        decisions.insert(to_string(static_cast<AuthDecision>(i)));

    CHECK(outcomes.size() == static_cast<std::size_t>(Outcome::count_));
    CHECK(decisions.size() == static_cast<std::size_t>(AuthDecision::count_));
}

TEST_CASE("histogram: a bucket's bound belongs to it, one more does not", "[observe]")
{
    for (std::size_t i = 0; i + 1 < Histogram::k_buckets; ++i) {
        Histogram h;
        const auto bound = static_cast<std::uint64_t>(std::llround(Histogram::upper_bound_seconds(i) * 1e6));
        h.observe(bound);
        h.observe(bound + 1);
        CHECK(h.bucket(i) == 1);
        CHECK(h.bucket(i + 1) == 1);
    }
}
