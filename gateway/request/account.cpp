// See account.hpp.
#include "request/account.hpp"

#include "domain/principal.hpp"

#include <bit>
#include <charconv>

namespace gw {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

std::uint64_t us_between(MonoTime from, MonoTime to) noexcept
{
    return to > from ? static_cast<std::uint64_t>(duration_cast<microseconds>(to - from).count()) : 0;
}

Outcome outcome_of(const Exchange& x) noexcept
{
    if (x.refusal != Refusal::none)
        return gw::outcome_of(x.refusal);
    return x.client_gone ? Outcome::client_gone : Outcome::proxied;
}

void count_metrics(const Exchange& x, WorkerMetrics& metrics, std::size_t route, std::uint64_t total_us,
                   std::uint64_t upstream_us)
{
    RouteMetrics& m = metrics.routes[route];
    m.by_class[static_cast<std::size_t>(x.status / 100) % m.by_class.size()].add();
    m.by_outcome[static_cast<std::size_t>(outcome_of(x))].add();
    m.duration.observe(total_us);
    if (x.upstream_head != MonoTime{}) {
        m.upstream_time.observe(upstream_us);
        m.gateway_time.observe(us_between(x.started, x.sent_upstream));
    }
    m.bytes_in.add(x.bytes_in);
    m.bytes_out.add(x.bytes_out);
}

UsageCounts counts_of(const Exchange& x, std::uint64_t total_us) noexcept
{
    UsageCounts c;
    c.requests = 1;
    c.status_4xx = x.status >= 400 && x.status < 500;
    c.status_5xx = x.status >= 500;
    c.status_401 = x.status == 401;
    c.status_403 = x.status == 403;
    c.status_429 = x.status == 429;
    c.bytes_in = x.bytes_in;
    c.bytes_out = x.bytes_out;
    c.latency_us_sum = total_us;
    const std::size_t bucket = total_us <= 64 ? 0 : static_cast<std::size_t>(std::bit_width((total_us - 1) / 64));
    c.latency[std::min(bucket, UsageCounts::k_latency_buckets - 1)] = 1;
    return c;
}

void append_number(std::string& out, std::uint64_t value)
{
    char digits[20];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_text(std::string& out, std::string_view name, std::string_view value)
{
    out.append(",\"").append(name).append("\":\"");
    append_json_escaped(out, value);
    out.push_back('"');
}

// Somebody may put a key into a path; it must not get into the log from there.
std::string_view without_keys(std::string_view path, std::string_view brand, std::string& scratch)
{
    const auto looks_like_key = [&](std::size_t at) {
        return at >= brand.size() && path.substr(at - brand.size(), brand.size()) == brand;
    };
    for (const std::string_view mark : {std::string_view{"_live_"}, std::string_view{"_test_"}}) {
        for (std::size_t at = path.find(mark); at != std::string_view::npos; at = path.find(mark, at + 1)) {
            if (looks_like_key(at)) {
                scratch.assign(path.substr(0, at + mark.size())).append("[masked]");
                return scratch;
            }
        }
    }
    return path;
}

void write_access_line(const Exchange& x, Services& s, std::uint64_t total_us, std::uint64_t upstream_us)
{
    std::string& out = s.access_log.line();
    out.append("{\"time\":\"").append(to_rfc3339(x.wall)).push_back('"');
    append_text(out, "request_id", x.request_id);
    append_text(out, "client", x.client_text);
    append_text(out, "method", x.head.method_text);
    append_text(out, "host", x.head.host);
    std::string masked;
    append_text(out, "path", without_keys(x.target.path, s.snapshot->rules.brand, masked));
    append_text(out, "route", x.route != nullptr ? std::string_view{x.route->id} : std::string_view{});
    out.append(",\"status\":");
    append_number(out, static_cast<std::uint64_t>(x.status));
    append_text(out, "outcome", to_string(outcome_of(x)));
    if (x.refusal != Refusal::none)
        append_text(out, "code", code_of(x.refusal));
    if (const Principal* caller = x.principal()) {
        append_text(out, "tenant", caller->key.tenant.str());
        append_text(out, "key_id", caller->key.id.view());
        out.append(",\"key_version\":");
        append_number(out, x.caller.version);
    }
    out.append(",\"bytes_in\":");
    append_number(out, x.bytes_in);
    out.append(",\"bytes_out\":");
    append_number(out, x.bytes_out);
    out.append(",\"duration_us\":");
    append_number(out, total_us);
    out.append(",\"upstream_us\":");
    append_number(out, upstream_us);
    out.append("}\n");
    s.access_log.wrote();
}

} // namespace

void account(const Exchange& x, Services& s) noexcept
{
    try {
        const MonoTime now = std::chrono::steady_clock::now();
        const std::uint64_t total_us = us_between(x.started, now);
        const std::uint64_t upstream_us = us_between(x.sent_upstream, x.upstream_head);
        const std::size_t route = x.route != nullptr ? x.route->index : s.metrics.routes.size() - 1;
        count_metrics(x, s.metrics, route, total_us, upstream_us);
        s.usage.add(x.caller.principal, x.caller.version, static_cast<std::uint32_t>(route), x.wall, x.client,
                    counts_of(x, total_us));
        if (s.access_log.is_on())
            write_access_line(x, s, total_us, upstream_us);
    } catch (const std::exception& e) {
        log(LogLevel::error, "account.failed", {{"what", e.what()}});
    }
}

} // namespace gw
