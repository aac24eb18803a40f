// A worker's ladder on fakes: what every test of the ladder starts from. Both clocks stand until a test moves them;
// the change feed is delivered by hand.
#pragma once

#include "support/fakes/key_world.hpp"
#include "verification/failed_attempts.hpp"
#include "verification/foreign_keys.hpp"
#include "verification/hash_pool.hpp"
#include "verification/ladder.hpp"
#include "verification/redigests.hpp"

#include <boost/crc.hpp>

namespace gw {

inline LimitPolicy failures_per_minute(std::uint64_t count)
{
    LimitPolicy policy;
    policy.name = "failures";
    policy.rate_count = count;
    policy.rate_period = std::chrono::minutes{1};
    policy.burst = count;
    return policy;
}

// What all workers share.
struct SharedWorld : KeyWorld {
    Metrics metrics{std::vector<std::string>{}};
    FailedAttempts failures{failures_per_minute(60), failures_per_minute(10)};
    HashPool hashes{1, 16, metrics};

    MonoTime mono{std::chrono::hours{100}};
    ForeignKeys foreign;
    Redigests redigests;
    VerificationStores stores() { return {keys, vault, digests, hashes, failures, peppers, foreign, redigests}; }
    std::uint64_t bcrypt_runs() const { return metrics.bcrypt_runs.value(); }
    std::size_t store_calls() const
    {
        return database.faults.all_calls() + vault.faults.all_calls() + digests.faults.all_calls();
    }
};

struct TestWorker {
    explicit TestWorker(SharedWorld& world, const LadderSettings& settings = {})
        : shared(world), ladder(settings, world.stores(), metrics)
    {
        ladder.monotonic = [this] { return shared.mono; };
        ladder.wall_clock = [this] { return shared.now; };
        catch_up();
    }

    // As a request does it: from memory if it can be.
    Verification check(std::string_view key, std::string_view client = "198.51.100.7")
    {
        Verification answer = ladder.try_verify(key, shared.mono, shared.now);
        if (answer.outcome == Verification::Outcome::ask)
            answer = run(ladder.verify(key, *Address::parse(client)));
        return answer;
    }
    Verification::Outcome outcome(std::string_view key, std::string_view client = "198.51.100.7")
    {
        return check(key, client).outcome;
    }
    Verification::Outcome from_memory(std::string_view key)
    {
        return ladder.try_verify(key, shared.mono, shared.now).outcome;
    }
    // All changes so far are applied, as by a poll of the feed.
    void catch_up()
    {
        for (; applied < shared.database.changes.size(); ++applied)
            ladder.apply(shared.database.changes[applied]);
        ladder.feed_was_current(shared.mono);
    }
    // Time passes with the feed running.
    void pass(Duration time)
    {
        shared.mono += time;
        shared.now += std::chrono::duration_cast<std::chrono::milliseconds>(time);
        catch_up();
    }

    SharedWorld& shared;
    WorkerMetrics metrics{0};
    Ladder ladder;
    std::size_t applied = 0;
};

// A well-formed key of the same key_id with another secret.
inline std::string wrong_secret(const KeyId& id)
{
    return std::string{generate_api_key("pc", Environment::live, id).text.reveal()};
}

// What somebody writes who knows the form: this key_id with that secret, and a right checksum.
inline std::string key_text(const KeyId& id, std::string_view secret)
{
    std::string text = "pc_live_" + id.str() + std::string{secret};
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    std::string digits(k_crc_length, '0');
    auto rest = crc.checksum();
    for (auto it = digits.rbegin(); it != digits.rend(); ++it, rest /= 62)
        *it = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[rest % 62];
    return text + digits;
}

inline std::string random_key()
{
    return std::string{generate_api_key("pc", Environment::live).text.reveal()};
}

} // namespace gw
