// Records: when a version is live, when a key is expired, what its statuses are called.
#include "domain/key_record.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

WallTime at(std::int64_t seconds)
{
    return WallTime{std::chrono::seconds{seconds}};
}

} // namespace

TEST_CASE("KeyVersion: live until its overlap ends, and never while pending", "[domain]")
{
    KeyVersion version;
    CHECK_FALSE(version.is_live(at(0)));
    version.status = VersionStatus::live;
    CHECK(version.is_live(at(0)));
    version.ends_at = at(10);
    CHECK(version.is_live(at(9)));
    CHECK_FALSE(version.is_live(at(10)));
    version.status = VersionStatus::ended;
    CHECK_FALSE(version.is_live(at(9)));
}

TEST_CASE("KeyRecord: expired from the very moment of its expiry", "[domain]")
{
    KeyRecord record;
    CHECK_FALSE(record.is_expired(at(1'000'000)));
    record.expires_at = at(10);
    CHECK_FALSE(record.is_expired(at(9)));
    CHECK(record.is_expired(at(10)));
}

TEST_CASE("KeyRecord: a version is found by its number", "[domain]")
{
    KeyRecord record;
    record.versions.resize(2);
    record.versions[0].number = 3;
    record.versions[1].number = 4;
    CHECK(record.find_version(4) == &record.versions[1]);
    CHECK(record.find_version(5) == nullptr);
}

TEST_CASE("to_string: statuses", "[domain]")
{
    CHECK(to_string(KeyStatus::pending) == "pending");
    CHECK(to_string(KeyStatus::active) == "active");
    CHECK(to_string(KeyStatus::disabled) == "disabled");
    CHECK(to_string(KeyStatus::revoked) == "revoked");
    CHECK(to_string(VersionStatus::pending) == "pending");
    CHECK(to_string(VersionStatus::live) == "live");
    CHECK(to_string(VersionStatus::ended) == "ended");
}
