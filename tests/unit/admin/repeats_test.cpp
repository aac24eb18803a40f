// Idempotency-Key bookkeeping.
#include "admin/repeats.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {
const WallTime k_now = *parse_rfc3339("2026-11-22T08:00:00Z");
}

TEST_CASE("repeats: fresh, in progress, finished, another body", "[admin]")
{
    Repeats repeats;
    CHECK(repeats.begin("a", sha256("body"), k_now).status == Repeats::Status::fresh);
    CHECK(repeats.begin("a", sha256("body"), k_now).status == Repeats::Status::in_progress);
    repeats.finished("a", "object");
    const auto found = repeats.begin("a", sha256("body"), k_now);
    CHECK(found.status == Repeats::Status::finished);
    CHECK(found.object == "object");
    CHECK(repeats.begin("a", sha256("other"), k_now).status == Repeats::Status::other_body);
    CHECK(repeats.begin("b", sha256("body"), k_now).status == Repeats::Status::fresh);
}

TEST_CASE("repeats: an entry is kept for a day", "[admin]")
{
    Repeats repeats;
    repeats.begin("a", sha256("x"), k_now);
    repeats.finished("a", "object");
    CHECK(repeats.begin("a", sha256("x"), k_now + Repeats::k_kept - std::chrono::seconds{1}).status ==
          Repeats::Status::finished);
    CHECK(repeats.begin("a", sha256("x"), k_now + Repeats::k_kept).status == Repeats::Status::fresh);
}

TEST_CASE("repeats: an entry that failed and was begun again lives its own day", "[admin]")
{
    Repeats repeats;
    repeats.begin("a", sha256("x"), k_now);
    repeats.failed("a");
    const WallTime later = k_now + std::chrono::hours{12};
    CHECK(repeats.begin("a", sha256("x"), later).status == Repeats::Status::fresh);
    repeats.finished("a", "object");
    CHECK(repeats.begin("a", sha256("x"), k_now + Repeats::k_kept + std::chrono::hours{1}).status ==
          Repeats::Status::finished);
}

TEST_CASE("repeats: never more than its bound, the oldest go first", "[admin]")
{
    Repeats repeats;
    for (std::size_t i = 0; i <= Repeats::k_max_entries; ++i) {
        repeats.begin(std::to_string(i), sha256("x"), k_now);
        repeats.finished(std::to_string(i), "object");
    }
    CHECK(repeats.begin(std::to_string(Repeats::k_max_entries), sha256("x"), k_now).status ==
          Repeats::Status::finished);
    CHECK(repeats.begin("0", sha256("x"), k_now).status == Repeats::Status::fresh);
}
