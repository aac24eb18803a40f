// See serve.hpp.
#include "app/serve.hpp"

#include "admin/server.hpp"
#include "app/crash_points.hpp"
#include "app/data_plane.hpp"
#include "app/management_key.hpp"
#include "app/store_session.hpp"
#include "app/usage_flush.hpp"
#include "domain/finally.hpp"
#include "observe/log.hpp"
#include "verification/change_feed.hpp"
#include "verification/failed_attempts.hpp"
#include "verification/foreign_keys.hpp"
#include "verification/hash_pool.hpp"
#include "verification/ladder.hpp"
#include "verification/redigests.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <list>

#include <sys/resource.h>

namespace gw {

namespace {

constexpr std::chrono::milliseconds k_refill{50};
constexpr std::chrono::seconds k_sweep_limits{1};
constexpr std::chrono::seconds k_sweep_keys{30};
constexpr std::chrono::milliseconds k_refresh_foreign{250};
constexpr std::chrono::seconds k_refresh_peppers{10};
constexpr std::chrono::milliseconds k_renew_digests{250};
constexpr std::size_t k_digests_at_once = 50; // at most 200 a second: digests of all keys in use are renewed within minutes
constexpr std::chrono::minutes k_maintain{5};
constexpr std::chrono::seconds k_lame_duck{1}; // between "not ready" and refusing connections

// Two descriptors for each client connection, and some for the rest.
void raise_descriptor_limit(const Settings& settings)
{
    const rlim_t wanted = 2 * settings.gateway.limits.connections + 256;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted : std::min(wanted, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        log(LogLevel::warn, "serve.descriptors",
            {{"limit", std::to_string(limit.rlim_cur)}, {"wanted", std::to_string(wanted)}});
}

std::vector<std::string> route_ids(const Settings& settings)
{
    std::vector<std::string> ids;
    for (const RouteSettings& route : settings.routes)
        ids.push_back(route.id);
    return ids;
}

AdminOptions admin_options(const Settings& settings)
{
    AdminOptions options;
    for (const ListenAddress& listen : settings.admin.listen)
        options.listen.push_back({listen.host, listen.port});
    options.public_url = settings.admin.public_url;
    return options;
}

// Everything of a running system, in order of construction; what comes later uses what stands above it.
class System {
public:
    explicit System(const Settings& settings)
        : settings_(settings), metrics_(route_ids(settings)), stores_(settings, Stores::Use::serve, blocking_, metrics_.quota_debits),
          keys_(key_rules(settings), stores_.keys(), stores_.tenants(), stores_.vault(), stores_.digests(), peppers_, hashing_),
          failures_(settings.gateway.failed_attempts.per_ip, settings.gateway.failed_attempts.per_ip_and_key),
          hashes_(settings.keys.hash_threads, settings.keys.hash_queue, metrics_),
          signals_(context_, SIGTERM, SIGINT)
    {
        metrics_.started_at_seconds = std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count();
        load_peppers();
        const VerificationStores verification{stores_.keys(), stores_.vault(), stores_.digests(), hashes_,
                                              failures_,      peppers_,        foreign_,          redigests_};
        plane_.emplace(settings, verification, stores_, blocking_, metrics_);
        feed_.emplace(ChangeFeedSettings{}, context_.get_executor(), stores_.keys(), dispatch(), metrics_);
        flush_.emplace(*plane_, stores_.usage(), metrics_);
        AdminServices services{keys_, stores_.tenants(), stores_.audit(), stores_.usage(), metrics_, [this] { return readiness(); }};
        admin_.emplace(context_, admin_options(settings), std::move(services), ManagementAuth{management_key(settings), {}});
        keys_.on_change = [this] { return apply_now(); };
        keys_.at_point = crash_points();
    }

    ~System()
    {
        blocking_.join();
        hashing_.join();
    }

    void run()
    {
        spawn(main(), "serve");
        context_.run();
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    void load_peppers()
    {
        if (const result<void> loaded = gw::run(context_, peppers_.load(stores_.vault())); !loaded)
            throw std::runtime_error("the secret store cannot be read: " + loaded.error().message());
        context_.restart();
    }

    ChangeFeed::Dispatch dispatch()
    {
        return [this](const std::vector<Change>& changes, MonoTime current_at) {
            if (!changes.empty())
                foreign_.may_have_changed(); // an import is among the changes of keys
            plane_->apply(changes, current_at, {});
        };
    }

    Readiness readiness() const
    {
        Readiness out;
        if (draining_)
            out.reasons.emplace_back("draining");
        else if (!ready_)
            out.reasons.emplace_back("starting");
        else if (metrics_.change_feed_healthy.value() == 0)
            out.reasons.emplace_back("the change sequence cannot be read");
        out.ready = out.reasons.empty();
        return out;
    }

    // Work that lasts until the drain; an exception in any of it ends the process.
    void spawn(awaitable<void> work, const char* name)
    {
        asio::co_spawn(context_, std::move(work), [this, name](std::exception_ptr error) {
            if (!error)
                return;
            failure_ = error;
            log(LogLevel::error, "serve.failed", {{"part", name}});
            context_.stop();
        });
    }

    template <class F>
    awaitable<void> every(std::chrono::milliseconds interval, F work)
    {
        Timer timer{context_.get_executor()};
        const auto place = pauses_.insert(pauses_.end(), &timer);
        const Finally left{[this, place] { pauses_.erase(place); }};
        while (!draining_) {
            timer.expires_after(interval);
            co_await timer.async_wait(no_throw);
            if (!draining_)
                co_await work();
        }
    }

    // What has been committed is known to every worker when this returns, unless the store does not answer.
    awaitable<void> apply_now()
    {
        awaitable<result<void>> reading = feed_->poll();
        const result<void> read = co_await std::move(reading);
        if (read && !draining_)
            co_await plane_->barrier();
    }

    awaitable<void> sweep_keys()
    {
        awaitable<result<KeyService::SweepReport>> sweeping = keys_.sweep(wall_now());
        const result<KeyService::SweepReport> swept = co_await std::move(sweeping);
        if (!swept)
            log(LogLevel::warn, "keys.sweep_failed", {{"error", swept.error().message()}});
        else if (swept->destroyed + swept->cleared > 0)
            log(LogLevel::info, "keys.swept",
                {{"destroyed", std::to_string(swept->destroyed)}, {"cleared", std::to_string(swept->cleared)}});
    }

    awaitable<void> refresh_foreign()
    {
        awaitable<result<void>> refreshing = foreign_.refresh(stores_.keys(), stores_.vault());
        if (const result<void> refreshed = co_await std::move(refreshing); !refreshed)
            log(LogLevel::warn, "imported_keys.unreadable", {{"error", refreshed.error().message()}});
    }

    awaitable<void> refresh_peppers()
    {
        awaitable<result<void>> refreshing = peppers_.refresh(stores_.vault());
        if (const result<void> refreshed = co_await std::move(refreshing); !refreshed)
            log(LogLevel::warn, "peppers.refresh_failed", {{"reason", refreshed.error().message()}});
    }

    awaitable<void> renew_digests()
    {
        awaitable<std::size_t> renewing = redigests_.write_some(stores_.vault(), stores_.digests(), k_digests_at_once);
        co_await std::move(renewing);
    }

    awaitable<void> sweep_limits()
    {
        stores_.sweep_limits(MonoTime::clock::now());
        co_return;
    }

    void start_housekeeping()
    {
        spawn(feed_->run(), "change feed");
        spawn(flush_->run(settings_.usage.flush), "usage flush");
        spawn(every(k_refill, [this] { return stores_.refill_limits(); }), "limits");
        spawn(every(k_sweep_limits, [this] { return sweep_limits(); }), "limit sweep");
        spawn(every(k_sweep_keys, [this] { return sweep_keys(); }), "key sweep");
        spawn(every(k_refresh_foreign, [this] { return refresh_foreign(); }), "imported keys");
        spawn(every(k_refresh_peppers, [this] { return refresh_peppers(); }), "peppers");
        spawn(every(k_renew_digests, [this] { return renew_digests(); }), "digests");
        spawn(every(k_maintain, [this] { return stores_.maintain(wall_now()); }), "maintenance");
    }

    void announce()
    {
        for (const Tcp::endpoint& at : plane_->addresses())
            log(LogLevel::info, "gateway.listening",
                {{"address", at.address().to_string()}, {"port", std::to_string(at.port())}});
        for (const std::uint16_t port : admin_->ports())
            log(LogLevel::info, "admin.listening", {{"port", std::to_string(port)}});
    }

    awaitable<void> main()
    {
        awaitable<result<void>> starting = feed_->start();
        if (const result<void> started = co_await std::move(starting); !started)
            throw std::runtime_error("the change sequence cannot be read: " + started.error().message());
        awaitable<void> sweeping = sweep_keys();
        co_await std::move(sweeping); // what a crash left behind
        awaitable<void> refreshing = refresh_foreign();
        co_await std::move(refreshing);
        plane_->start();
        admin_->start();
        start_housekeeping();
        ready_ = true;
        metrics_.ready.set(1);
        announce();
        const auto [ec, signal] = co_await signals_.async_wait(no_throw);
        log(LogLevel::info, "serve.draining", {{"signal", ec ? "none" : signal == SIGINT ? "SIGINT" : "SIGTERM"}});
        // A second signal ends the process at once.
        signals_.async_wait([](const boost::system::error_code& error, int) {
            if (!error)
                std::_Exit(1);
        });
        awaitable<void> draining = drain();
        co_await std::move(draining);
    }

    // Readiness goes first; then connections are led out; only then do the stores close.
    awaitable<void> drain()
    {
        const MonoTime deadline = MonoTime::clock::now() + settings_.gateway.timeouts.drain;
        draining_ = true;
        metrics_.ready.set(0);
        plane_->begin_drain();
        Timer pause{context_.get_executor()};
        pause.expires_after(std::min<std::chrono::milliseconds>(k_lame_duck, settings_.gateway.timeouts.drain / 4));
        co_await pause.async_wait(no_throw);
        awaitable<void> ending = plane_->end_sessions(deadline);
        co_await std::move(ending);
        hashes_.stop();
        awaitable<void> last_flush = flush_->stop();
        co_await std::move(last_flush);
        plane_->finish();
        feed_->stop();
        for (Timer* timer : pauses_)
            timer->cancel();
        awaitable<void> flushing = flush_->finish();
        co_await std::move(flushing);
        awaitable<void> closing = stores_.close_limits();
        co_await std::move(closing);
        awaitable<void> stopping = admin_->stop(std::chrono::seconds{2});
        co_await std::move(stopping);
        signals_.cancel();
        log(LogLevel::info, "serve.stopped");
    }

    const Settings& settings_;
    asio::io_context context_{1};
    BlockingPool blocking_{4}, hashing_{1};
    Metrics metrics_;
    Stores stores_;
    PepperRing peppers_;
    KeyService keys_;
    FailedAttempts failures_;
    HashPool hashes_;
    ForeignKeys foreign_;
    Redigests redigests_;
    std::optional<DataPlane> plane_;
    std::optional<ChangeFeed> feed_;
    std::optional<UsageFlush> flush_;
    std::optional<AdminServer> admin_;
    asio::basic_signal_set<Executor> signals_;
    std::list<Timer*> pauses_; // of the scheduled work, so that the drain can end them
    std::exception_ptr failure_;
    bool ready_ = false, draining_ = false;
};

} // namespace

int serve(const Settings& settings, const ServeOptions& options)
{
    if (options.role != ServeOptions::Role::all)
        throw std::runtime_error("--role " + std::string{options.role == ServeOptions::Role::gateway ? "gateway" : "admin"} +
                                 " needs a shared metadata store; an SQLite file serves one process: use --role all");
    set_log_level(static_cast<LogLevel>(settings.log.level));
    raise_descriptor_limit(settings);
    System system{settings};
    system.run();
    return 0;
}

} // namespace gw
