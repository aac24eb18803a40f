// See serve.hpp.
#include "app/serve.hpp"

#include "app/admin_side.hpp"
#include "app/background_work.hpp"
#include "app/control_plane.hpp"
#include "app/foundation.hpp"
#include "app/gateway_side.hpp"
#include "app/verification_upkeep.hpp"
#include "domain/api_key.hpp"
#include "observe/log.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>

#include <sys/resource.h>

namespace gw {

namespace {

using Role = ServeOptions::Role;

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

NodeBeat this_node(Role role)
{
    NodeBeat self;
    self.node = "node-" + random_base62(12);
    self.serves_data = role != Role::admin;
    self.serves_admin = role != Role::gateway;
    self.release = GW_VERSION;
    return self;
}

// A running process of any role, in order of construction; what comes later uses what stands above it.
class System {
public:
    System(const Settings& settings, Role role)
        : base_(settings, role), work_(base_.context), signals_(base_.context, SIGTERM, SIGINT),
          control_(base_.context, base_.stores, this_node(role), base_.metrics, apply()),
          admin_(base_, control_, role != Role::gateway, [this] { return readiness(); })
    {
        if (role != Role::admin)
            gateway_.emplace(base_);
    }

    void run()
    {
        work_.spawn(main(), "serve");
        base_.context.run();
        work_.rethrow();
    }

private:
    ControlPlane::Apply apply()
    {
        return
            [this](const std::vector<Change>& changes, MonoTime current_at, std::function<void()> applied) {
                if (!changes.empty())
                    base_.foreign.may_have_changed(); // an import is among the changes of keys
                admin_.apply(changes, current_at);
                if (gateway_)
                    gateway_->plane().apply(changes, current_at, std::move(applied));
                else if (applied)
                    applied();
            };
    }

    Readiness readiness() const
    {
        Readiness out;
        if (draining_)
            out.reasons.emplace_back("draining");
        else if (!ready_)
            out.reasons.emplace_back("starting");
        else if (base_.metrics.change_feed_healthy.value() == 0)
            out.reasons.emplace_back("the change sequence cannot be read");
        out.ready = out.reasons.empty();
        return out;
    }

    awaitable<void> main()
    {
        co_await control_.start();
        admin_.start(); // first, since it may find its address taken
        co_await control_.make_known();
        co_await upkeep_.prepare();
        admin_.start_work(work_);
        if (gateway_)
            gateway_->start(work_);
        upkeep_.start(work_);
        work_.spawn(control_.read_changes(), "change feed");
        work_.spawn(control_.beat(), "presence");
        work_.all_started();
        ready_ = true;
        base_.metrics.ready.set(1);
        log(LogLevel::info, "serve.started", {{"node", control_.node()}});
        const auto [ec, signal] = co_await signals_.async_wait(no_throw);
        log(LogLevel::info, "serve.draining",
            {{"signal", ec                 ? "none"
                        : signal == SIGINT ? "SIGINT"
                                           : "SIGTERM"}});
        end_at_once_if_interrupted();
        co_await drain();
    }

    // During the drain a second Ctrl-C ends the process; a second SIGTERM, which supervisors send, hurries nobody.
    void end_at_once_if_interrupted()
    {
        signals_.async_wait([this](const boost::system::error_code& error, int signal) {
            if (error)
                return;
            if (signal == SIGINT)
                std::_Exit(1);
            end_at_once_if_interrupted();
        });
    }

    // Readiness goes first; then connections are led out; only then do the stores close.
    awaitable<void> drain()
    {
        const std::chrono::milliseconds time = base_.settings.gateway.timeouts.drain;
        const MonoTime deadline = MonoTime::clock::now() + time;
        draining_ = true;
        base_.metrics.ready.set(0);
        if (gateway_)
            gateway_->begin_drain();
        co_await admin_.stop_work(); // another node may take it over
        Timer pause{base_.context.get_executor()};
        pause.expires_after(std::min<std::chrono::milliseconds>(k_lame_duck, time / 4));
        co_await pause.async_wait(no_throw);
        if (gateway_)
            co_await gateway_->end_sessions(deadline);
        control_.stop_reading();
        work_.stop();
        if (gateway_)
            co_await gateway_->finish();
        co_await admin_.stop();
        co_await control_.leave();
        co_await base_.stores.close_limits(); // after the last who could ask a store from this thread
        base_.hashes.stop();
        signals_.cancel();
        log(LogLevel::info, "serve.stopped");
    }

    Foundation base_;
    BackgroundWork work_;
    asio::basic_signal_set<Executor> signals_;
    ControlPlane control_;
    AdminSide admin_;
    VerificationUpkeep upkeep_{base_};
    std::optional<GatewaySide> gateway_;
    bool ready_ = false, draining_ = false;
};

} // namespace

int serve(const Settings& settings, const ServeOptions& options)
{
    if (options.role != Role::all)
        if (const std::string objection = Stores::objection_to_split_roles(settings); !objection.empty())
            throw std::runtime_error("--role " +
                                     std::string{options.role == Role::gateway ? "gateway" : "admin"} + ": " +
                                     objection);
    set_log_level(static_cast<LogLevel>(settings.log.level));
    raise_descriptor_limit(settings);
    System system{settings, options.role};
    system.run();
    return 0;
}

} // namespace gw
