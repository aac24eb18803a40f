// Verifying a key that this worker knows (steps 1 and 2 of the ladder), and turning away what is no key: on real
// embedded stores in a temporary folder.
#include "app/stores.hpp"
#include "bench/micro/timing.hpp"
#include "keys/key_service.hpp"
#include "keys/pepper_ring.hpp"
#include "net/run_awaitable.hpp"
#include "observe/metrics.hpp"
#include "verification/failed_attempts.hpp"
#include "verification/foreign_keys.hpp"
#include "verification/hash_pool.hpp"
#include "verification/ladder.hpp"
#include "verification/redigests.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace gw;

namespace {

struct TemporaryFolder {
    std::string path = (std::filesystem::temp_directory_path() / "portcullis-bench-XXXXXX").string();
    TemporaryFolder() { bench::require(::mkdtemp(path.data()) != nullptr, "no temporary folder"); }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

Settings settings_in(const std::string& folder)
{
    Settings settings;
    settings.stores.sqlite = folder + "/bench.db";
    settings.stores.local_secrets = folder + "/secrets";
    return settings;
}

LimitPolicy attempts()
{
    LimitPolicy policy;
    policy.name = "attempts";
    policy.rate_count = policy.burst = 60;
    policy.rate_period = std::chrono::minutes{1};
    return policy;
}

IssuedKey issue(Stores& stores, const PepperRing& peppers, BlockingPool& pool)
{
    Tenant tenant;
    tenant.id = *TenantId::parse("acme");
    tenant.name = "Acme";
    const AuditEntry why;
    bench::require(run(stores.tenants().add(tenant, why)).has_value(), "the tenant was not added");

    KeyRules rules;
    rules.bcrypt_cost = 4;
    rules.scopes = {{"orders:read", "Read orders"}};
    KeyService service{std::move(rules), stores.keys(), stores.tenants(), stores.vault(), stores.digests(), peppers, pool};
    CreateKey wanted;
    wanted.tenant = tenant.id;
    wanted.name = "bench";
    wanted.scopes = {"orders:read"};
    Actor who;
    who.id = "bench";
    who.grants = {"*:*"};
    auto issued = run(service.create(std::move(wanted), std::move(who)));
    bench::require(issued.has_value(), "the key was not created");
    return std::move(*issued);
}

} // namespace

int main()
{
    using Outcome = Verification::Outcome;
    const TemporaryFolder folder;
    BlockingPool pool{1};
    Metrics metrics{{}};
    WorkerMetrics& worker = metrics.add_worker();
    const Settings settings = settings_in(folder.path);
    Stores stores{settings, Stores::Use::beside, pool, metrics.stores};
    PepperRing peppers;
    bench::require(run(peppers.load(stores.vault())).has_value(), "no pepper");
    HashPool hashes{1, 16, metrics};
    FailedAttempts failures{attempts(), attempts()};
    const IssuedKey issued = issue(stores, peppers, pool);
    const std::string key{issued.key.reveal()};

    ForeignKeys foreign;
    Redigests redigests;
    const VerificationStores verification{stores.keys(), stores.vault(), stores.digests(), hashes,
                                          failures,      peppers,        foreign,          redigests};
    Ladder ladder{LadderSettings{}, verification, worker};
    ladder.feed_was_current(MonoTime::clock::now());
    bench::require(run(ladder.verify(key, Address{})).outcome == Outcome::verified, "the key does not verify");

    const WallTime wall = wall_now();
    const MonoTime now = MonoTime::clock::now();
    ladder.feed_was_current(now);
    const auto time_answer = [&](const char* name, const std::string& credential, Outcome expected) {
        bench::time_operation(name, [&](std::size_t) {
            const Verification answer = ladder.try_verify(credential, now, wall);
            bench::require(answer.outcome == expected, name);
            bench::keep(answer);
        });
    };
    time_answer("key verification: warm cache", key, Outcome::verified);
    time_answer("key verification: not a key", "pc_live_nothing", Outcome::malformed);
    std::string mistyped = key;
    mistyped[30] = mistyped[30] == 'a' ? 'b' : 'a';
    time_answer("key verification: checksum does not hold", mistyped, Outcome::malformed);
    pool.join();
}
