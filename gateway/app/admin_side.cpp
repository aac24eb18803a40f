// See admin_side.hpp.
#include "app/admin_side.hpp"

#include "app/crash_points.hpp"
#include "app/management_key.hpp"
#include "app/store_session.hpp"
#include "domain/principal.hpp"
#include "observe/log.hpp"

namespace gw {

namespace {

constexpr std::chrono::seconds k_sweep_keys{30};
constexpr std::chrono::minutes k_maintain{5};
constexpr std::size_t k_management_keys = 4096; // kept in memory

AdminOptions options_of(const Settings& settings, bool with_api)
{
    AdminOptions options;
    for (const ListenAddress& listen : settings.admin.listen)
        options.listen.push_back({listen.host, listen.port});
    options.public_url = settings.admin.public_url;
    options.with_api = with_api;
    return options;
}

LadderSettings ladder_settings(const Settings& settings)
{
    LadderSettings out;
    out.brand = settings.keys.brand;
    out.management = true;
    out.cache_ttl = settings.keys.cache_ttl;
    out.cache_entries = k_management_keys;
    out.stale_while_unavailable = settings.keys.stale_while_unavailable;
    return out;
}

ApiProblem out_of_reach(std::string detail)
{
    ApiProblem problem{503, "unavailable", std::move(detail)};
    problem.fields.emplace_back("Retry-After", "1");
    return problem;
}

} // namespace

AdminSide::AdminSide(Foundation& base, ControlPlane& control, bool with_api,
                     std::function<Readiness()> readiness)
    : base_(base), with_api_(with_api),
      keys_(key_rules(base.settings), base.stores.keys(), base.stores.tenants(), base.stores.vault(),
            base.stores.digests(), base.peppers, base.hashing),
      ladder_(ladder_settings(base.settings), base.verification(), ladder_metrics_),
      propagation_(base.stores.keys(), base.stores.nodes(), base.settings.keys.stale_while_unavailable),
      scheduler_(base.context.get_executor(), base.stores.nodes(), control.node()),
      server_(base.context, options_of(base.settings, with_api), services(std::move(readiness)), auth())
{
    keys_.on_change = [&control] { return control.apply_now(); };
    keys_.at_point = crash_points();
    scheduler_.add("key sweep", k_sweep_keys, [this](const Scheduler::MayGoOn& may_go_on, std::uint64_t) {
        return sweep_keys(may_go_on);
    });
    scheduler_.add("maintenance", k_maintain, [this](const Scheduler::MayGoOn&, std::uint64_t) {
        return base_.stores.maintain(wall_now());
    });
}

AdminServices AdminSide::services(std::function<Readiness()> readiness)
{
    AdminServices out{keys_,         base_.stores.tenants(), base_.stores.audit(), base_.stores.usage(),
                      base_.metrics, std::move(readiness)};
    out.propagation = [this](bool management) { return propagation_.wait(management); };
    return out;
}

ManagementAuth AdminSide::auth()
{
    if (!with_api_)
        return ManagementAuth{Secret{}, {}};
    return ManagementAuth{management_key(base_.settings),
                          [this](std::string_view key, Address client) { return verify(key, client); }};
}

awaitable<api_result<std::optional<KeyRecord>>> AdminSide::verify(std::string_view key, Address client)
{
    using Ending = Verification::Outcome;
    Verification answer = ladder_.try_verify(key, MonoTime::clock::now(), wall_now());
    if (answer.outcome == Ending::ask)
        answer = co_await ladder_.verify(key, client);
    if (answer.outcome == Ending::unavailable)
        co_return out_of_reach("The stores that know management keys are out of reach.");
    if (answer.outcome == Ending::overloaded)
        co_return out_of_reach("Too many keys are being verified; try again.");
    if (answer.outcome == Ending::too_many_failures)
        co_return ApiProblem{429, "too_many_failures", "Too many failed attempts from this address."};
    if (answer.outcome != Ending::verified)
        co_return std::optional<KeyRecord>{};
    const KeyRecord& record = answer.principal->key;
    if (!record.allowed_ips.empty() && !any_contains(record.allowed_ips, client))
        co_return std::optional<KeyRecord>{};
    co_return std::optional<KeyRecord>{record};
}

void AdminSide::apply(const std::vector<Change>& changes, MonoTime current_at)
{
    for (const Change& change : changes)
        ladder_.apply(change);
    ladder_.feed_was_current(current_at);
}

void AdminSide::start()
{
    server_.start();
    for (const std::uint16_t port : server_.ports())
        log(LogLevel::info, "admin.listening", {{"port", std::to_string(port)}});
}

void AdminSide::start_work(BackgroundWork& work)
{
    if (with_api_)
        work.spawn(scheduler_.run(), "scheduled work");
}

awaitable<void> AdminSide::sweep_keys(const Scheduler::MayGoOn& may_go_on)
{
    const auto swept = co_await keys_.sweep(wall_now(), may_go_on);
    if (!swept)
        log(LogLevel::warn, "keys.sweep_failed", {{"error", swept.error().message()}});
    else if (swept->destroyed + swept->cleared > 0)
        log(LogLevel::info, "keys.swept",
            {{"destroyed", std::to_string(swept->destroyed)}, {"cleared", std::to_string(swept->cleared)}});
}

awaitable<void> AdminSide::stop()
{
    return server_.stop(std::chrono::seconds{2});
}

} // namespace gw
