// See verification_upkeep.hpp.
#include "app/verification_upkeep.hpp"

#include "observe/log.hpp"

namespace gw {

namespace {

constexpr std::chrono::milliseconds k_refresh_foreign{250};
constexpr std::chrono::seconds k_refresh_peppers{10};
constexpr std::chrono::milliseconds k_renew_digests{250};
constexpr std::size_t k_digests_at_once = 50; // 200 a second: the keys in use are done within minutes of a rotation

} // namespace

void VerificationUpkeep::start(BackgroundWork& work)
{
    work.every(
        k_refresh_foreign, [this] { return refresh_foreign(); }, "imported keys");
    work.every(
        k_refresh_peppers, [this] { return refresh_peppers(); }, "peppers");
    work.every(
        k_renew_digests, [this] { return renew_digests(); }, "digests");
}

awaitable<void> VerificationUpkeep::refresh_foreign()
{
    const auto refreshed = co_await base_.foreign.refresh(base_.stores.keys(), base_.stores.vault());
    if (!refreshed)
        log(LogLevel::warn, "imported_keys.unreadable", {{"reason", refreshed.error().message()}});
}

awaitable<void> VerificationUpkeep::refresh_peppers()
{
    const auto refreshed = co_await base_.peppers.refresh(base_.stores.vault());
    if (!refreshed)
        log(LogLevel::warn, "peppers.refresh_failed", {{"reason", refreshed.error().message()}});
}

awaitable<void> VerificationUpkeep::renew_digests()
{
    static_cast<void>(co_await base_.redigests.write_some(base_.stores.vault(), base_.stores.digests(), k_digests_at_once));
}

} // namespace gw
