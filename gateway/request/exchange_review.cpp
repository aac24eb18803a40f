// See exchange_review.hpp.
#include "request/exchange_review.hpp"

#include "observe/log.hpp"
#include "ports/key_store.hpp"

namespace gw {

namespace {
constexpr std::chrono::milliseconds k_pause{100}; // after the store did not answer
} // namespace

void ExchangeReview::begin()
{
    if (std::exchange(running_, true))
        return;
    asio::co_spawn(executor_, run(), [this](std::exception_ptr error) {
        running_ = false;
        if (error)
            log(LogLevel::error, "exchanges.review_failed");
    });
}

awaitable<void> ExchangeReview::run()
{
    Timer pause{executor_};
    while (const auto doubt = open_.any_doubt()) {
        const auto found = co_await keys_.find(doubt->key);
        if (!found) {
            pause.expires_after(k_pause);
            co_await pause.async_wait(no_throw);
            continue;
        }
        open_.settle(*doubt, *found ? &**found : nullptr, wall_now());
    }
}

} // namespace gw
