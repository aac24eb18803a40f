// What every QuotaStore does.
#pragma once

#include "contract/stores_under_test.hpp"

namespace gw::contract {

inline void quota_store_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& quotas = stores->quotas();
    const CounterId counter{{1, UINT64_MAX}, {3, 4}};
    const QuotaWindow today{k_start, k_start + hours{24}};

    SECTION("debit: grants what is wanted, then what is left, then nothing")
    {
        CHECK(run(quotas.debit(counter, today, 100, 60)).value().granted == 60);
        const auto second = run(quotas.debit(counter, today, 100, 60)).value();
        CHECK(second.granted == 40);
        CHECK(second.used == 100);
        const auto third = run(quotas.debit(counter, today, 100, 1)).value();
        CHECK(third.granted == 0);
        CHECK(third.used == 100);
    }
    SECTION("debit: nothing wanted tells what was used")
    {
        run(quotas.debit(counter, today, 100, 7)).value();
        const auto grant = run(quotas.debit(counter, today, 100, 0)).value();
        CHECK(grant.granted == 0);
        CHECK(grant.used == 7);
    }
    SECTION("debit: a quota that was lowered below what is used grants nothing, one that was raised the rest")
    {
        run(quotas.debit(counter, today, 100, 80)).value();
        CHECK(run(quotas.debit(counter, today, 50, 10)).value().granted == 0);
        CHECK(run(quotas.debit(counter, today, 200, 500)).value().granted == 120);
    }
    SECTION("debit: every window, policy and partition has a counter of its own")
    {
        const QuotaWindow tomorrow{today.end, today.end + hours{24}};
        const CounterId policy{{2, UINT64_MAX}, {3, 4}}, partition{{1, UINT64_MAX}, {3, 5}};
        run(quotas.debit(counter, today, 10, 10)).value();
        CHECK(run(quotas.debit(counter, tomorrow, 10, 10)).value().granted == 10);
        CHECK(run(quotas.debit(policy, today, 10, 10)).value().granted == 10);
        CHECK(run(quotas.debit(partition, today, 10, 10)).value().granted == 10);
        CHECK(run(quotas.debit(counter, today, 10, 10)).value().granted == 0);
    }
    SECTION("debit: the largest numbers do not overflow")
    {
        const auto grant = run(quotas.debit(counter, today, UINT64_MAX, UINT64_MAX)).value();
        CHECK(grant.granted > 1'000'000'000'000'000'000u);
        CHECK(run(quotas.debit(counter, today, UINT64_MAX, UINT64_MAX)).value().granted == 0);
    }
    SECTION("give_back: makes room again, and never more than was debited")
    {
        run(quotas.debit(counter, today, 100, 100)).value();
        run(quotas.give_back(counter, today, 30)).value();
        CHECK(run(quotas.debit(counter, today, 100, 100)).value().granted == 30);
        run(quotas.give_back(counter, today, 1'000)).value();
        CHECK(run(quotas.debit(counter, today, 100, 1'000)).value().granted == 100);
    }
    SECTION("give_back: to a window that was never debited changes nothing")
    {
        run(quotas.give_back(counter, today, 30)).value();
        CHECK(run(quotas.debit(counter, today, 10, 100)).value().granted == 10);
    }
    SECTION("debit: eight threads at once never get more than the quota, and all of it")
    {
        std::atomic<std::uint64_t> granted{0};
        in_parallel(8, [&](int) {
            for (int n = 0; n < 10; ++n)
                granted += run(quotas.debit(counter, today, 500, 7)).value().granted;
        });
        CHECK(granted == 500);
        CHECK(run(quotas.debit(counter, today, 500, 0)).value().used == 500);
    }
}

} // namespace gw::contract
