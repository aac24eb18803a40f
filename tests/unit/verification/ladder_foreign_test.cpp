// Imported keys on the ladder: what strangers can reach, what the warm path costs, and that they end like any key.
#include "keys/key_import.hpp"
#include "unit/verification/ladder_world.hpp"
#include "verification/digest_cache.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;
using Ending = Verification::Outcome;

namespace {

const std::string k_foreign = "kong-0123456789abcdef";

struct ForeignWorld : SharedWorld {
    KeyId import(const ForeignText& text, CreateKey request = wanted_key())
    {
        const KeyImport::Stores used{keys, vault, peppers, hashing, 1};
        KeyImport importing{test_rules(), used, operator_actor()};
        importing.clock = [this] { return now; };
        ImportRow row;
        row.request = std::move(request);
        row.key = *read_foreign_key(text, "pc");
        if (!run(importing.prepare(false)))
            throw std::logic_error("no import pepper");
        std::vector<ImportRow> rows;
        rows.push_back(std::move(row));
        const auto outcomes = run(importing.import(std::move(rows)));
        hear();
        return outcomes.at(0).key.value();
    }
    KeyId import_plain(const std::string& key = k_foreign)
    {
        ForeignText text;
        text.key = key;
        return import(text);
    }
    KeyId import_salted(const std::string& prefix, const std::string& hashed, const std::string& of)
    {
        ForeignText text;
        text.key_prefix = prefix;
        text.key_hash = hash_api_key(hashed, 4);
        text.hash_algorithm = "bcrypt";
        text.hash_of = of;
        return import(text);
    }
    void hear()
    {
        foreign.may_have_changed();
        if (!run(foreign.refresh(keys, vault)))
            throw std::logic_error("not refreshed");
    }
    std::size_t index_look_ups() const { return database.faults.calls("find_imported"); }
};

} // namespace

TEST_CASE("ladder: while nothing was imported a foreign text is malformed, without any look-up", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    world.hear();
    const auto calls = world.store_calls();
    CHECK(worker.outcome(k_foreign) == Ending::malformed);
    CHECK(run(worker.ladder.verify(k_foreign, *Address::parse("198.51.100.7"))).outcome == Ending::malformed);
    CHECK(world.store_calls() == calls);
}

TEST_CASE("ladder: an imported key is verified with one bcrypt, then from memory", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    const KeyId id = world.import_plain();
    const Verification first = worker.check(k_foreign);
    REQUIRE(first.outcome == Ending::verified);
    CHECK(first.principal->key.id == id);
    CHECK(first.version == 1);
    CHECK(world.bcrypt_runs() == 1);
    const auto calls = world.store_calls();
    CHECK(worker.from_memory(k_foreign) == Ending::verified);
    CHECK(world.store_calls() == calls);
    CHECK(worker.metrics.cache_hits.value() == 1);
}

TEST_CASE("ladder: a hashed key, and every kind of it, is found and verified", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    ForeignText text;
    text.hash_algorithm = GENERATE("sha256", "sha1", "sha512", "md5");
    const std::string hash = foreign_index_value(*parse_foreign_index(text.hash_algorithm), k_foreign);
    text.key_hash = to_hex({reinterpret_cast<const unsigned char*>(hash.data()), hash.size()});
    world.import_plain("another-plain-key");
    world.import(text);
    CHECK(worker.outcome(k_foreign) == Ending::verified);
    CHECK(worker.outcome(k_foreign + "x") == Ending::unknown);
}

TEST_CASE("ladder: after a restart an imported key costs no bcrypt", "[verification]")
{
    ForeignWorld world;
    world.import_plain();
    {
        TestWorker before{world};
        REQUIRE(before.outcome(k_foreign) == Ending::verified);
    }
    TestWorker after{world};
    CHECK(after.outcome(k_foreign) == Ending::verified);
    CHECK(world.bcrypt_runs() == 1);
    CHECK(after.metrics.digest_store_hits.value() == 1);
}

TEST_CASE("ladder: strangers with random foreign keys cause no bcrypt, and end at the gate", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    world.import_plain();
    int unknown = 0, refused = 0;
    for (int i = 0; i < 500; ++i) {
        const Ending ending = worker.outcome("stranger-" + random_base62(20));
        unknown += ending == Ending::unknown;
        refused += ending == Ending::too_many_failures;
    }
    CHECK(world.bcrypt_runs() == 0);
    CHECK(refused > 0);
    CHECK(unknown + refused == 500);
    CHECK(world.index_look_ups() <= 1 + 60 + 200); // the import's own, the address's, and those beyond the gate
    CHECK(world.database.faults.calls("find") == 0);
}

TEST_CASE("ladder: behind an exhausted address a warm imported key is served, and a cold one gets through", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    world.import_plain();
    world.import_plain("a-second-foreign-key");
    REQUIRE(worker.outcome(k_foreign) == Ending::verified);
    for (int i = 0; i < 61; ++i)
        worker.outcome("stranger-" + random_base62(20));
    CHECK(worker.outcome(k_foreign) == Ending::verified);
    CHECK(worker.outcome("a-second-foreign-key") == Ending::verified);
}

TEST_CASE("ladder: a revoked imported key is refused, then from memory, and every change reaches it", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    const KeyId id = world.import_plain();
    REQUIRE(worker.outcome(k_foreign) == Ending::verified);
    REQUIRE(run(world.service.disable(id, std::nullopt, operator_actor())));
    worker.catch_up();
    CHECK(worker.outcome(k_foreign) == Ending::disabled);
    REQUIRE(run(world.service.revoke(id, std::nullopt, std::nullopt, operator_actor())));
    worker.catch_up();
    CHECK(worker.outcome(k_foreign) == Ending::revoked);
    const auto calls = world.store_calls();
    CHECK(worker.from_memory(k_foreign) == Ending::revoked);
    CHECK(world.store_calls() == calls);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: a revoked imported key that a worker never saw is answered from memory from the second time on", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    const KeyId id = world.import_plain();
    REQUIRE(run(world.service.revoke(id, std::nullopt, std::nullopt, operator_actor())));
    worker.catch_up();
    CHECK(worker.outcome(k_foreign) == Ending::revoked);
    CHECK(worker.from_memory(k_foreign) == Ending::revoked);
    CHECK(world.bcrypt_runs() == 0);
}

TEST_CASE("ladder: a regenerated imported key and its foreign text both work for the overlap", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    const KeyId id = world.import_plain();
    REQUIRE(worker.outcome(k_foreign) == Ending::verified);
    const auto issued = run(world.service.regenerate(id, std::nullopt, 1h, operator_actor()));
    REQUIRE(issued);
    worker.catch_up();
    CHECK(worker.check(issued->key.reveal()).version == 2);
    CHECK(worker.check(k_foreign).version == 1);
    worker.pass(2h);
    CHECK(worker.outcome(issued->key.reveal()) == Ending::verified);
    const Ending ended = worker.outcome(k_foreign); // the cache may have forgotten that it once was a version
    CHECK((ended == Ending::revoked || ended == Ending::unknown));
}

TEST_CASE("ladder: what stands for an imported key's secret is no secret of ours", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    const KeyId id = world.import_plain();
    const Secret stand_in = foreign_secret(ForeignIndex::sha256, foreign_index_value(ForeignIndex::sha256, k_foreign));
    CHECK(worker.outcome(key_text(id, stand_in.reveal())) == Ending::malformed);
    CHECK(worker.outcome(key_text(id, stand_in.reveal().substr(0, 32))) == Ending::unknown);
    CHECK(worker.outcome(stand_in.reveal()) == Ending::unknown);
}

TEST_CASE("ladder: a salted key is verified by the other gateway's hash, once, and then has a digest", "[verification]")
{
    const auto [prefix, key, hashed, of] = GENERATE(table<std::string, std::string, std::string, std::string>({
        {"ident.", "ident.the-secret", "ident.the-secret", "key"},
        {"ident.", "ident.the-secret", "the-secret", "secret"},
        {"my_ident_", "my_ident_secret", "secret", "secret"},
    }));
    ForeignWorld world;
    TestWorker worker{world};
    const KeyId id = world.import_salted(prefix, hashed, of);
    REQUIRE(worker.outcome(key) == Ending::verified);
    CHECK(world.bcrypt_runs() == 1);
    CHECK(worker.from_memory(key) == Ending::verified);
    CHECK(run(world.redigests.write_some(world.vault, world.digests, 10)) == 1);
    const auto entry = run(world.vault.read(vault_path(tenant_id("acme"), id))).value().value();
    CHECK(VaultRecord::from_json(entry.data)->versions[0].pepper_id == world.peppers.current().id);

    TestWorker after{world};
    CHECK(after.outcome(prefix + "wrong-secret") == Ending::unknown);
    CHECK(after.outcome(key) == Ending::verified);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: guesses at a salted key run bcrypt only as often as the gate lets them", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    world.import_salted("ident.", "ident.the-secret", "key");
    for (int i = 0; i < 100; ++i)
        CHECK(worker.outcome("ident.guess-" + random_base62(10)) != Ending::verified);
    CHECK(world.bcrypt_runs() <= 10);
    CHECK(worker.outcome("ident.the-secret", "203.0.113.9") == Ending::verified);
}

TEST_CASE("ladder: an index out of reach is unavailable, never unknown", "[verification]")
{
    ForeignWorld world;
    TestWorker worker{world};
    world.import_plain();
    world.database.faults.fail("find_imported");
    CHECK(worker.outcome(k_foreign) == Ending::unavailable);
    world.database.faults.heal();
    CHECK(worker.outcome(k_foreign) == Ending::verified);
}

TEST_CASE("foreign_keys: a store out of reach leaves what was known, and is asked again", "[verification]")
{
    ForeignWorld world;
    world.import_plain();
    world.foreign.may_have_changed();
    world.database.faults.fail("imported_indexes");
    CHECK_FALSE(run(world.foreign.refresh(world.keys, world.vault)).has_value());
    CHECK(world.foreign.are_any());
    world.database.faults.heal();
    const auto calls = world.database.faults.calls("imported_indexes");
    CHECK(run(world.foreign.refresh(world.keys, world.vault)));
    CHECK(world.database.faults.calls("imported_indexes") == calls + 1);
    CHECK(run(world.foreign.refresh(world.keys, world.vault))); // nothing changed: nobody is asked
    CHECK(world.database.faults.calls("imported_indexes") == calls + 1);
}

TEST_CASE("digest_cache: an imported key's text is forgotten with its entry", "[verification]")
{
    DigestCache cache{1};
    KeyRecord first, second;
    first.id = *KeyId::parse("AAAAAAAAAAAAAAAA");
    second.id = *KeyId::parse("BBBBBBBBBBBBBBBB");
    first.record_version = second.record_version = 1;
    const MonoTime now{1h};
    const DigestCache::Reading reading{0, now};
    REQUIRE(cache.offer(std::make_shared<const Principal>(first), {}, reading, now));
    cache.remember_foreign(first.id, ForeignIndex::sha256, sha256("a text"));
    REQUIRE(cache.find_foreign(sha256("a text")));
    CHECK(cache.find_foreign(sha256("a text"))->id == first.id);
    CHECK_FALSE(cache.find_foreign(sha256("b text")));
    cache.remember_foreign(second.id, ForeignIndex::sha256, sha256("b text")); // not here: nothing to remember
    CHECK_FALSE(cache.find_foreign(sha256("b text")));
    REQUIRE(cache.offer(std::make_shared<const Principal>(second), {}, reading, now)); // takes the only slot
    CHECK_FALSE(cache.find_foreign(sha256("a text")));
    cache.remember_foreign(second.id, ForeignIndex::sha256, sha256("b text"));
    cache.forget(second.id);
    CHECK_FALSE(cache.find_foreign(sha256("b text")));
}
