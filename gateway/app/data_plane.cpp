// See data_plane.hpp.
#include "app/data_plane.hpp"

#include "app/compile_snapshot.hpp"
#include "net/listener.hpp"
#include "request/exchange_review.hpp"
#include "request/services.hpp"
#include "request/session.hpp"

namespace gw {

namespace {

constexpr std::chrono::milliseconds k_log_flush{500};
constexpr std::chrono::seconds k_trim{10};

unsigned worker_count(const Settings& settings)
{
    return settings.gateway.workers != 0 ? settings.gateway.workers : std::max(1u, std::thread::hardware_concurrency());
}

LadderSettings ladder_settings(const Settings& settings, unsigned workers)
{
    LadderSettings out;
    out.brand = settings.keys.brand;
    out.cache_ttl = settings.keys.cache_ttl;
    out.cache_entries = std::max<std::size_t>(1, settings.keys.cache_entries / workers);
    out.stale_while_unavailable = settings.keys.stale_while_unavailable;
    return out;
}

} // namespace

// One worker with everything that only its thread touches. Members below use those above them.
struct DataPlane::Lane {
    Lane(unsigned index, const Settings& settings, std::shared_ptr<const Snapshot> snapshot, unsigned workers,
         VerificationStores stores, RateLimiter& limiter, BlockingPool& blocking, ConnectionCaps& caps, WorkerMetrics& counters, SharedCounter& lines_dropped)
        : dropped_lines(lines_dropped), worker(index), metrics(counters), memory(settings.gateway.limits.head_bytes, settings.gateway.limits.head_fields),
          access_log(settings.log.access), ladder(ladder_settings(settings, workers), stores, counters),
          open_exchanges(counters), review(open_exchanges, stores.keys, worker.executor()),
          services{worker, std::move(snapshot), ladder, limiter, upstreams, memory, ids, usage, access_log, counters, caps, open_exchanges}
    {
        for (UpstreamPool::Options& options : compile_upstreams(settings))
            upstreams.push_back(std::make_unique<UpstreamPool>(std::move(options), worker, blocking, counters));
        worker.on_sweep = [this](SteadyTime now) { housekeeping(now); };
        worker.tasks().on_idle = [this] { idle.store(true); };
    }

    void listen(const Tcp::endpoint& address)
    {
        auto on_connection = [this](Socket socket, Tcp::endpoint peer) {
            return serve_connection(std::move(socket), peer, services);
        };
        listeners.push_back(std::make_unique<Listener>(worker, address, std::move(on_connection)));
    }

    // Every operation of every connection ends as if its deadline had passed.
    void end_everything()
    {
        worker.open_sessions().close_all();
        worker.deadlines().sweep(SteadyTime::max());
    }

    void apply(const std::vector<Change>& changes, MonoTime feed_current_at)
    {
        bool is_doubted = false;
        const MonoTime now = MonoTime::clock::now();
        for (const Change& change : changes) {
            ladder.apply(change);
            is_doubted |= open_exchanges.apply(change, now);
        }
        ladder.feed_was_current(feed_current_at);
        if (is_doubted)
            review.begin();
    }

    void housekeeping(SteadyTime now)
    {
        open_exchanges.sweep(now, wall_now());
        for (auto& upstream : upstreams)
            upstream->watch_idle();
        if (now >= next_log_flush) {
            access_log.flush();
            dropped_lines.add(access_log.dropped() - dropped_before);
            dropped_before = access_log.dropped();
            next_log_flush = now + k_log_flush;
        }
        if (now >= next_trim) {
            memory.trim();
            next_trim = now + k_trim;
        }
    }

    SharedCounter& dropped_lines;
    std::uint64_t dropped_before = 0;
    Worker worker;
    WorkerMetrics& metrics;
    std::vector<std::unique_ptr<UpstreamPool>> upstreams;
    RequestMemoryPool memory;
    RequestIds ids;
    UsageRecorder usage;
    AccessLog access_log;
    Ladder ladder;
    OpenExchanges open_exchanges;
    ExchangeReview review;
    Services services;
    std::vector<std::unique_ptr<Listener>> listeners;
    SteadyTime next_log_flush{}, next_trim{};
    std::atomic<bool> idle{false}; // no task runs, set once draining
};

DataPlane::DataPlane(const Settings& settings, Stores& stores, const VerificationStores& verification,
                     BlockingPool& blocking, Metrics& metrics)
    : route_ids_(metrics.route_ids), caps_(settings.gateway.limits.connections, settings.gateway.limits.connections_per_ip)
{
    const auto snapshot = compile_snapshot(settings);
    const unsigned workers = worker_count(settings);
    for (unsigned i = 0; i < workers; ++i)
        lanes_.push_back(std::make_unique<Lane>(i, settings, snapshot, workers, verification, stores.limiter(), blocking,
                                                caps_, metrics.add_worker(), metrics.log_lines_dropped));
    const auto endpoint_of = [](const ListenAddress& listen) {
        return Tcp::endpoint{asio::ip::make_address(listen.host), listen.port};
    };
    for (const ListenAddress& listen : settings.gateway.listen)
        Listener::require_unused(endpoint_of(listen));
    for (const ListenAddress& listen : settings.gateway.listen) {
        Tcp::endpoint address = endpoint_of(listen);
        for (auto& lane : lanes_) {
            lane->listen(address);
            address = lane->listeners.back()->local_endpoint(); // a free port is chosen once, for all workers
        }
    }
}

DataPlane::~DataPlane() = default;

void DataPlane::start()
{
    for (auto& lane : lanes_) {
        lane->worker.post([&lane = *lane] {
            for (auto& listener : lane.listeners)
                listener->start();
        });
        lane->worker.start();
    }
}

std::vector<Tcp::endpoint> DataPlane::addresses() const
{
    std::vector<Tcp::endpoint> out;
    for (const auto& listener : lanes_.front()->listeners)
        out.push_back(listener->local_endpoint());
    return out;
}

void DataPlane::apply(const std::vector<Change>& changes, MonoTime feed_current_at, std::function<void()> applied)
{
    struct Pending {
        std::vector<Change> changes;
        std::function<void()> applied;
        std::atomic<std::size_t> left;
    };
    auto pending = std::make_shared<Pending>();
    pending->changes = changes;
    pending->applied = std::move(applied);
    pending->left = lanes_.size();
    for (auto& lane : lanes_) {
        lane->worker.post([&lane = *lane, pending, feed_current_at] {
            lane.apply(pending->changes, feed_current_at);
            if (pending->left.fetch_sub(1) == 1 && pending->applied)
                pending->applied();
        });
    }
}

awaitable<void> DataPlane::collect_usage(UsageBatch& batch)
{
    for (auto& lane : lanes_) {
        auto swap = [&lane] { return lane->usage.swap(); };
        awaitable<bool> swapping = offload(lane->worker.context(), std::move(swap));
        if (co_await std::move(swapping))
            lane->usage.take(route_ids_, batch.rows, batch.last_uses);
    }
}

void DataPlane::collect_rest(UsageBatch& batch)
{
    for (auto& lane : lanes_)
        if (lane->usage.swap())
            lane->usage.take(route_ids_, batch.rows, batch.last_uses);
}

void DataPlane::begin_drain()
{
    for (auto& lane : lanes_)
        lane->worker.post([&lane = *lane] { lane.services.draining = true; });
}

awaitable<void> DataPlane::end_sessions(MonoTime deadline)
{
    for (auto& lane : lanes_) {
        lane->worker.post([&lane = *lane] {
            for (auto& listener : lane.listeners)
                listener->stop();
            lane.worker.open_sessions().wake_idle();
        });
    }
    Timer pause{co_await asio::this_coro::executor};
    const auto all_idle = [this] {
        return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->idle.load(); });
    };
    bool forced = false;
    while (!all_idle()) {
        if (MonoTime::clock::now() >= deadline) {
            if (!std::exchange(forced, true))
                log(LogLevel::warn, "drain.deadline", {{"open", std::to_string(caps_.open())}});
            for (auto& lane : lanes_)
                lane->worker.post([&lane = *lane] { lane.end_everything(); });
        }
        pause.expires_after(std::chrono::milliseconds{20});
        co_await pause.async_wait(no_throw);
    }
}

void DataPlane::finish()
{
    for (auto& lane : lanes_) {
        lane->worker.post([&lane = *lane] {
            for (auto& upstream : lane.upstreams)
                upstream->close();
        });
        lane->worker.finish();
    }
    for (auto& lane : lanes_) {
        lane->worker.join();
        lane->access_log.flush();
    }
}

} // namespace gw
