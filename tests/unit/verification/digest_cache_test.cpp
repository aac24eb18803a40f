#include "verification/digest_cache.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

constexpr MonoTime k_start{100h};
constexpr WallTime k_wall{std::chrono::hours{1000}};

KeyRecord record(char id, std::uint64_t record_version = 1)
{
    KeyRecord out;
    out.id = *KeyId::parse(std::string(16, id));
    out.tenant = *TenantId::parse("acme");
    out.status = KeyStatus::active;
    out.record_version = record_version;
    KeyVersion version;
    version.number = 1;
    version.status = VersionStatus::live;
    out.versions.push_back(version);
    return out;
}

KnownVersions proven(const KeyRecord& key, std::string_view secret)
{
    KnownVersions versions = KnownVersions::of(key, k_wall);
    versions.items[0].proof = KnownVersion::Proof::secret;
    versions.items[0].value = sha256(secret);
    return versions;
}

bool offer(DigestCache& cache, const KeyRecord& key, DigestCache::Reading reading, MonoTime now = k_start)
{
    return cache.offer(std::make_shared<const Principal>(key), proven(key, "s"), reading, now);
}

DigestCache::Reading reading_of(const DigestCache& cache, MonoTime at = k_start)
{
    return {cache.epoch(), at};
}

} // namespace

TEST_CASE("digest_cache: a record older than its tombstone is refused, a newer one taken", "[verification]")
{
    DigestCache cache{10};
    const auto reading = reading_of(cache);
    cache.void_key(record('a').id, 2, k_start);
    CHECK_FALSE(offer(cache, record('a', 1), reading));
    CHECK(cache.find(record('a').id) == nullptr);
    CHECK(offer(cache, record('a', 2), reading));
    CHECK_FALSE(cache.find(record('a').id)->is_void());
}

TEST_CASE("digest_cache: a refill never undoes a change, whatever the order", "[verification]")
{
    DigestCache cache{10};
    const auto reading = reading_of(cache);
    REQUIRE(offer(cache, record('a', 1), reading));
    cache.void_key(record('a').id, 2, k_start);
    CHECK(cache.find(record('a').id)->is_void());
    CHECK_FALSE(offer(cache, record('a', 1), reading));
    CHECK(cache.find(record('a').id)->is_void());
    CHECK(offer(cache, record('a', 3), reading_of(cache)));
    CHECK_FALSE(offer(cache, record('a', 2), reading));
    CHECK(cache.find(record('a').id)->record_version == 3);
}

TEST_CASE("digest_cache: a change that the entry has already seen voids nothing", "[verification]")
{
    DigestCache cache{10};
    REQUIRE(offer(cache, record('a', 5), reading_of(cache)));
    cache.void_key(record('a').id, 5, k_start);
    CHECK_FALSE(cache.find(record('a').id)->is_void());
}

TEST_CASE("digest_cache: tombstones outlive the longest flight, and flights longer than that are refused", "[verification]")
{
    DigestCache cache{10};
    const auto reading = reading_of(cache);
    cache.void_key(record('a').id, 2, k_start + 1s);
    cache.void_key(record('b').id, 2, k_start + DigestCache::k_longest_flight); // buries what is old
    CHECK_FALSE(offer(cache, record('a', 1), reading, k_start + DigestCache::k_longest_flight));
    CHECK_FALSE(offer(cache, record('c', 1), reading, k_start + DigestCache::k_longest_flight + 1ns));
    CHECK(offer(cache, record('c', 1), reading, k_start + DigestCache::k_longest_flight));
}

TEST_CASE("digest_cache: a tenant's change voids its keys and refuses what was read before", "[verification]")
{
    DigestCache cache{10};
    const auto reading = reading_of(cache);
    REQUIRE(offer(cache, record('a'), reading));
    KeyRecord foreign = record('b');
    foreign.tenant = *TenantId::parse("other");
    REQUIRE(offer(cache, foreign, reading));

    cache.void_tenant(*TenantId::parse("acme"));
    CHECK(cache.find(record('a').id)->is_void());
    CHECK_FALSE(cache.find(foreign.id)->is_void());
    CHECK_FALSE(offer(cache, record('c'), reading));
    CHECK(offer(cache, record('c'), reading_of(cache)));
    CHECK(offer(cache, record('a'), reading_of(cache)));
    CHECK_FALSE(cache.find(record('a').id)->is_void());
}

TEST_CASE("digest_cache: what was proven of a secret survives a change, and is never replaced by less", "[verification]")
{
    DigestCache cache{10};
    REQUIRE(offer(cache, record('a', 1), reading_of(cache)));
    cache.void_key(record('a').id, 2, k_start);
    const KeyRecord newer = record('a', 2);
    KnownVersions less = KnownVersions::of(newer, k_wall);
    less.items[0].proof = KnownVersion::Proof::digest;
    REQUIRE(cache.offer(std::make_shared<const Principal>(newer), less, reading_of(cache), k_start));
    const auto* entry = cache.find(newer.id);
    CHECK(entry->versions.items[0].proof == KnownVersion::Proof::secret);
    CHECK(entry->versions.items[0].value == sha256("s"));
}

TEST_CASE("digest_cache: revoked stays revoked", "[verification]")
{
    DigestCache cache{10};
    REQUIRE(cache.offer_revoked(record('a', 4), reading_of(cache), k_start));
    CHECK(cache.find(record('a').id)->is_revoked());
    CHECK_FALSE(offer(cache, record('a', 3), reading_of(cache)));
    CHECK_FALSE(offer(cache, record('a', 5), reading_of(cache)));
    cache.void_key(record('a').id, 9, k_start);
    CHECK_FALSE(cache.find(record('a').id)->is_void());
}

TEST_CASE("digest_cache: never holds more than its entries, and keeps what is used", "[verification]")
{
    DigestCache cache{8};
    std::string names = "abcdefghijklmnopqrstuvwxyz";
    for (char name : names) {
        REQUIRE(offer(cache, record(name), reading_of(cache)));
        REQUIRE(cache.size() <= 8);
        const bool has_a = cache.find(record('a').id) != nullptr;
        CHECK(has_a); // looked up after every insertion
    }
    CHECK(cache.size() == 8);
}

TEST_CASE("digest_cache: a forgotten entry leaves room", "[verification]")
{
    DigestCache cache{2};
    REQUIRE(offer(cache, record('a'), reading_of(cache)));
    REQUIRE(offer(cache, record('b'), reading_of(cache)));
    cache.forget(record('a').id);
    CHECK(cache.size() == 1);
    REQUIRE(offer(cache, record('c'), reading_of(cache)));
    CHECK(cache.find(record('b').id) != nullptr);
    CHECK(cache.find(record('c').id) != nullptr);
}

TEST_CASE("known_versions: the live ones, newest first; ended ones do not count against completeness", "[verification]")
{
    KeyRecord key = record('a');
    key.versions[0].ends_at = k_wall + 1h;
    key.versions.push_back(key.versions[0]);
    key.versions[1].number = 2;
    key.versions[1].ends_at.reset();
    key.versions.push_back(key.versions[1]);
    key.versions[2].number = 3;
    key.versions[2].status = VersionStatus::pending;

    KnownVersions versions = KnownVersions::of(key, k_wall);
    REQUIRE(versions.count == 2);
    CHECK(versions.items[0].number == 2);
    CHECK(versions.items[1].number == 1);
    CHECK_FALSE(versions.is_complete(k_wall));
    versions.items[0].proof = KnownVersion::Proof::secret;
    CHECK_FALSE(versions.is_complete(k_wall));
    CHECK(versions.is_complete(k_wall + 1h));
}
