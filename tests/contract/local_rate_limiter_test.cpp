// The in-memory limiter keeps the contract; its quotas lie in a store that survives the "crash".
#include "adapters/local/rate_limiter.hpp"
#include "contract/rate_limiter_contract.hpp"
#include "contract/rate_limiter_slots_contract.hpp"
#include "support/fakes_quota.hpp"

#include <memory>

using namespace gw;
using namespace gw::test;

namespace {

class LocalBench {
public:
    static constexpr bool k_own_clock = false;
    static std::uint64_t lost_by_crash(std::uint64_t quota) { return QuotaLot::batch(quota) * 3 / 2; }

    LocalBench() { crash_and_restart(); }
    gw::RateLimiter& limiter() { return *limiter_; }
    void crash_and_restart() { limiter_ = std::make_unique<local::RateLimiter>(store_, debits_); }
    void close()
    {
        asio::io_context context{1};
        auto on_end = [](std::exception_ptr error) { REQUIRE_FALSE(error); };
        asio::co_spawn(context.get_executor(), limiter_->shut_down(), on_end);
        context.run();
    }

private:
    FakeQuotaStore store_;
    SharedCounter debits_;
    std::unique_ptr<local::RateLimiter> limiter_;
};

} // namespace

TEST_CASE("local rate limiter: keeps the contract", "[contract]")
{
    check_rate_limiter_contract<LocalBench>();
}

TEST_CASE("local rate limiter: keeps the contract of slots", "[contract]")
{
    check_rate_limiter_slots_contract<LocalBench>();
}
