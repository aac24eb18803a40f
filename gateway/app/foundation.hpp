// What every part of a serving process stands on, whatever its role: the control thread's context, the
// blocking pools, the stores, the peppers, and what all ladders share.
#pragma once

#include "app/serve.hpp"
#include "app/stores.hpp"
#include "keys/pepper_ring.hpp"
#include "net/asio.hpp"
#include "net/offload.hpp"
#include "observe/metrics.hpp"
#include "settings/settings.hpp"
#include "verification/failed_attempts.hpp"
#include "verification/foreign_keys.hpp"
#include "verification/hash_pool.hpp"
#include "verification/ladder.hpp"
#include "verification/redigests.hpp"

namespace gw {

// In order of construction: what comes later uses what stands above it.
struct Foundation {
    // Opens the stores. Throws std::exception with a text for the terminal. `given` must outlive this.
    Foundation(const Settings& given, ServeOptions::Role role);
    ~Foundation();
    Foundation(const Foundation&) = delete;
    Foundation& operator=(const Foundation&) = delete;

    VerificationStores verification() noexcept
    {
        return {stores.keys(), stores.vault(), stores.digests(), hashes, failures, peppers, foreign, redigests};
    }

    const Settings& settings;
    asio::io_context context{1};
    BlockingPool blocking{4}, hashing{1};
    Metrics metrics;
    Stores stores;
    PepperRing peppers;
    FailedAttempts failures;
    HashPool hashes;
    ForeignKeys foreign;
    Redigests redigests;
};

} // namespace gw
