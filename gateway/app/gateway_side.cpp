// See gateway_side.hpp.
#include "app/gateway_side.hpp"

#include "observe/log.hpp"

namespace gw {

namespace {

constexpr std::chrono::milliseconds k_refill{50};
constexpr std::chrono::seconds k_sweep_limits{1};

} // namespace

GatewaySide::GatewaySide(Foundation& base)
    : base_(base), plane_(base.settings, base.stores, base.verification(), base.blocking, base.metrics),
      flush_(plane_, base.stores.usage(), base.metrics)
{
}

void GatewaySide::start(BackgroundWork& work)
{
    plane_.start();
    work.spawn(flush_.run(base_.settings.usage.flush), "usage flush");
    work.every(
        k_refill, [this] { return base_.stores.refill_limits(); }, "limits");
    work.every(
        k_sweep_limits, [this] { return sweep_limits(); }, "limit sweep");
    for (const Tcp::endpoint& at : plane_.addresses())
        log(LogLevel::info, "gateway.listening",
            {{"address", at.address().to_string()}, {"port", std::to_string(at.port())}});
}

awaitable<void> GatewaySide::sweep_limits()
{
    base_.stores.sweep_limits(MonoTime::clock::now());
    co_return;
}

awaitable<void> GatewaySide::end_sessions(MonoTime deadline)
{
    co_await plane_.end_sessions(deadline);
    base_.hashes.stop();
    co_await flush_.stop(); // while there are workers to be asked
    plane_.finish();
}

awaitable<void> GatewaySide::finish()
{
    co_await flush_.finish();
    co_await base_.stores.close_limits();
}

} // namespace gw
