// Metrics::prometheus(): what is exported under which name. Names and labels are a contract with the alert
// rules and dashboards that are shipped; a family is never renamed silently.
#include "observe/metrics.hpp"
#include "observe/process_figures.hpp"
#include "observe/prometheus_text.hpp"

#include <array>
#include <string_view>

namespace gw {

namespace {

using Type = PrometheusText::Type;

constexpr std::array<std::string_view, 6> k_code_classes{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

// The label `route` of what matched no route. A route's id cannot contain parentheses.
constexpr std::string_view k_no_route = "(none)";

class Scrape {
public:
    explicit Scrape(const Metrics& metrics) : metrics_(metrics) {}

    std::string run() &&
    {
        build_and_process();
        requests();
        route_histogram("portcullis_request_duration_seconds", "Time from a request's first byte to the end of its response.",
                        &RouteMetrics::duration);
        route_histogram("portcullis_upstream_duration_seconds",
                        "Time from sending a request's head upstream to receiving the response's head.",
                        &RouteMetrics::upstream_time);
        route_histogram("portcullis_gateway_duration_seconds",
                        "Time a request spent in the gateway itself up to the response's head, upstream time excluded.",
                        &RouteMetrics::gateway_time);
        authentication();
        limits();
        connections();
        hashing_and_changes();
        nodes();
        records();
        return std::move(text_).take();
    }

private:
    template <class Member>
    std::uint64_t over_workers(Member member) const
    {
        std::uint64_t sum = 0;
        for (const auto& worker : metrics_.workers)
            sum += (*worker.*member).value();
        return sum;
    }

    template <class Read>
    std::uint64_t of_route(std::size_t route, Read read) const
    {
        std::uint64_t sum = 0;
        for (const auto& worker : metrics_.workers)
            sum += read(worker->routes[route]).value();
        return sum;
    }

    std::size_t route_count() const { return metrics_.route_ids.size() + 1; }
    std::string_view route_name(std::size_t route) const
    {
        return route < metrics_.route_ids.size() ? std::string_view{metrics_.route_ids[route]} : k_no_route;
    }

    void counter(std::string_view name, std::string_view help, std::uint64_t value)
    {
        text_.single(name, Type::counter, help, value);
    }
    void gauge(std::string_view name, std::string_view help, std::uint64_t value)
    {
        text_.single(name, Type::gauge, help, value);
    }

    void build_and_process()
    {
        text_.family("portcullis_build_info", Type::gauge, "Always 1; the label says which version runs.");
        text_.sample({{"version", GW_VERSION}}, std::uint64_t{1});
        gauge("portcullis_ready", "1 while this node reports ready.", metrics_.ready.value());
        gauge("portcullis_workers", "Worker threads.", metrics_.workers.size());
        text_.single("process_start_time_seconds", Type::gauge, "Start time of the process since the epoch in seconds.",
                     static_cast<double>(metrics_.started_at_seconds));
        const auto process = read_process_figures();
        if (!process)
            return;
        text_.single("process_cpu_seconds_total", Type::counter, "Total user and system CPU time spent in seconds.",
                     process->cpu_seconds);
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", process->resident_bytes);
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", process->virtual_bytes);
        gauge("process_open_fds", "Number of open file descriptors.", process->open_fds);
        gauge("process_max_fds", "Maximum number of open file descriptors.", process->max_fds);
        gauge("process_threads", "Number of threads.", process->threads);
    }

    void requests()
    {
        text_.family("portcullis_requests_total", Type::counter, "Requests by route and class of the status sent.");
        for (std::size_t route = 0; route < route_count(); ++route)
            for (std::size_t i = 0; i < k_code_classes.size(); ++i)
                text_.sample({{"route", route_name(route)}, {"code_class", k_code_classes[i]}},
                             of_route(route, [i](const RouteMetrics& r) -> const Counter& { return r.by_class[i]; }));

        text_.family("portcullis_request_outcomes_total", Type::counter, "Requests by route and how they ended.");
        for (std::size_t route = 0; route < route_count(); ++route)
            for (std::size_t i = 0; i < static_cast<std::size_t>(Outcome::count_); ++i)
                text_.sample({{"route", route_name(route)}, {"outcome", to_string(static_cast<Outcome>(i))}},
                             of_route(route, [i](const RouteMetrics& r) -> const Counter& { return r.by_outcome[i]; }));

        text_.family("portcullis_request_body_bytes_total", Type::counter, "Bytes of request bodies received.");
        for (std::size_t route = 0; route < route_count(); ++route)
            text_.sample({{"route", route_name(route)}},
                         of_route(route, [](const RouteMetrics& r) -> const Counter& { return r.bytes_in; }));
        text_.family("portcullis_response_body_bytes_total", Type::counter, "Bytes of response bodies sent.");
        for (std::size_t route = 0; route < route_count(); ++route)
            text_.sample({{"route", route_name(route)}},
                         of_route(route, [](const RouteMetrics& r) -> const Counter& { return r.bytes_out; }));
    }

    // Routes that have counted nothing are left out: a histogram is 23 lines.
    void route_histogram(std::string_view name, std::string_view help, Histogram RouteMetrics::*member)
    {
        text_.family(name, Type::histogram, help);
        for (std::size_t route = 0; route < route_count(); ++route) {
            PrometheusText::Summed summed;
            for (const auto& worker : metrics_.workers)
                summed.add(worker->routes[route].*member);
            if (summed.total > 0)
                text_.histogram({{"route", route_name(route)}}, summed);
        }
    }

    void authentication()
    {
        text_.family("portcullis_auth_decisions_total", Type::counter, "Decisions about credentials and permissions.");
        for (std::size_t i = 0; i < static_cast<std::size_t>(AuthDecision::count_); ++i) {
            std::uint64_t sum = 0;
            for (const auto& worker : metrics_.workers)
                sum += worker->auth[i].value();
            text_.sample({{"result", to_string(static_cast<AuthDecision>(i))}}, sum);
        }
        counter("portcullis_key_cache_hits_total", "Credentials answered from a worker's cache.",
                over_workers(&WorkerMetrics::cache_hits));
        counter("portcullis_key_cache_misses_total", "Credentials a worker's cache could not answer.",
                over_workers(&WorkerMetrics::cache_misses));
        counter("portcullis_digest_store_hits_total", "Credentials answered by the shared digests, without hashing.",
                over_workers(&WorkerMetrics::digest_store_hits));
    }

    void limits()
    {
        counter("portcullis_rate_limited_total", "Requests refused by a limit.", over_workers(&WorkerMetrics::limited));
        counter("portcullis_rate_limited_shadow_total", "Requests a limit in shadow mode would have refused.",
                over_workers(&WorkerMetrics::limited_shadow));
        counter("portcullis_limiter_asks_total", "Requests that waited for a limit store.",
                over_workers(&WorkerMetrics::limiter_asks));
        counter("portcullis_quota_debits_total", "Batches debited from quotas in the store.", metrics_.quota_debits.value());
    }

    void connections()
    {
        counter("portcullis_connections_accepted_total", "Client connections accepted.",
                over_workers(&WorkerMetrics::connections_accepted));
        counter("portcullis_connections_refused_total", "Client connections closed at once because of a cap.",
                over_workers(&WorkerMetrics::connections_refused));
        gauge("portcullis_connections_open", "Client connections open now.", over_workers(&WorkerMetrics::connections_open));
        counter("portcullis_upstream_connects_total", "Connections opened to upstreams.",
                over_workers(&WorkerMetrics::upstream_connects));
        counter("portcullis_upstream_connect_failures_total", "Connections to upstreams that failed to open.",
                over_workers(&WorkerMetrics::upstream_connect_failures));
        counter("portcullis_upstream_reuses_total", "Requests sent on a kept-alive upstream connection.",
                over_workers(&WorkerMetrics::upstream_reuses));
        counter("portcullis_upstream_retries_total", "Requests sent a second time.",
                over_workers(&WorkerMetrics::upstream_retries));
        gauge("portcullis_upstream_connections_open", "Upstream connections open now.",
              over_workers(&WorkerMetrics::upstream_open));
    }

    void hashing_and_changes()
    {
        counter("portcullis_hash_runs_total", "bcrypt computations of presented keys.", metrics_.bcrypt_runs.value());
        counter("portcullis_hash_queue_refusals_total", "Verifications refused because the hashing queue was full.",
                metrics_.hash_queue_refusals.value());
        gauge("portcullis_hash_queue_depth", "Verifications waiting for the hashing pool.", metrics_.hash_queue_depth.value());
        counter("portcullis_change_applied_total", "Record changes applied by all workers.", metrics_.changes_applied.value());
        counter("portcullis_exchanges_cut_total", "Requests and responses broken off because their key ended.",
                over_workers(&WorkerMetrics::exchanges_cut));
        counter("portcullis_change_feed_errors_total", "Polls of the change sequence that failed.",
                metrics_.change_feed_errors.value());
        gauge("portcullis_change_feed_healthy", "1 while the change sequence can be read.",
              metrics_.change_feed_healthy.value());
        histogram("portcullis_change_delay_seconds", "Time from a change's commit until all workers have applied it.",
                  metrics_.change_delay);
    }

    void nodes()
    {
        gauge("portcullis_nodes_alive", "Nodes of the fleet that were heard of in the last three seconds.",
              metrics_.nodes_alive.value());
        gauge("portcullis_changes_unacknowledged",
              "Changes that this node has applied and the slowest node alive has not acknowledged.",
              metrics_.changes_unacknowledged.value());
        counter("portcullis_node_beat_errors_total", "Signs of life of this node that did not reach the registry.",
                metrics_.node_beat_errors.value());
        histogram("portcullis_change_acknowledged_seconds",
                  "Time from a change's commit until this node's acknowledgement of it was stored.",
                  metrics_.change_acknowledged);
    }

    void histogram(std::string_view name, std::string_view help, const Histogram& values)
    {
        text_.family(name, Type::histogram, help);
        PrometheusText::Summed summed;
        summed.add(values);
        text_.histogram({}, summed);
    }

    void records()
    {
        counter("portcullis_usage_flushes_total", "Batches of usage written.", metrics_.usage_flushes.value());
        counter("portcullis_usage_flush_errors_total", "Batches of usage that could not be written.",
                metrics_.usage_flush_errors.value());
        gauge("portcullis_usage_pending_rows", "Rows of usage waiting to be written.", metrics_.usage_pending_rows.value());
        counter("portcullis_usage_dropped_total", "Usage records dropped because of a memory bound.",
                over_workers(&WorkerMetrics::usage_dropped));
        counter("portcullis_audit_write_failures_total", "Audit entries that could not be written.",
                metrics_.audit_write_failures.value());
        counter("portcullis_admin_requests_total", "Requests to the admin listener.", metrics_.admin_requests.value());
        counter("portcullis_log_lines_dropped_total", "Access log lines dropped because the log could not take them.",
                metrics_.log_lines_dropped.value());
    }

    const Metrics& metrics_;
    PrometheusText text_;
};

} // namespace

std::string Metrics::prometheus() const
{
    return Scrape{*this}.run();
}

} // namespace gw
