#include "keys/pepper_ring.hpp"

#include "support/fakes/secret_vault.hpp"
#include "support/run_awaitable.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;

TEST_CASE("pepper_ring: the first load creates a pepper, and the next finds the same", "[keys]")
{
    FakeSecretVault vault;
    PepperRing first, second;
    REQUIRE(run(first.load(vault)));
    REQUIRE(run(second.load(vault)));

    CHECK(first.current().id.size() == 8);
    CHECK(first.current().value.reveal().size() == 64);
    CHECK(second.current().id == first.current().id);
    CHECK(second.current().value.reveal() == first.current().value.reveal());
    CHECK(second.find(first.current().id) == &second.current());
    CHECK(second.find("other000") == nullptr);
}

TEST_CASE("pepper_ring: two nodes that start at once agree", "[keys]")
{
    FakeSecretVault vault;
    PepperRing one, other;
    asio::io_context context{1};
    int loaded = 0;
    const auto count = [&](std::exception_ptr error, result<void> done) { loaded += !error && done ? 1 : 0; };
    asio::co_spawn(context, one.load(vault), count);
    asio::co_spawn(context, other.load(vault), count);
    context.run();

    REQUIRE(loaded == 2);
    CHECK(one.current().id == other.current().id);
}

TEST_CASE("pepper_ring: two generations are live, the newest first", "[keys]")
{
    FakeSecretVault vault;
    const std::string value(64, 'a');
    const Secret entry{R"({"format":1,"peppers":[{"id":"newer000","value":")" + value +
                       R"("},{"id":"older000","value":")" + value + R"("}]})"};
    REQUIRE(run(vault.write("platform/pepper", entry, 0)));
    PepperRing ring;
    REQUIRE(run(ring.load(vault)));
    CHECK(ring.current().id == "newer000");
    CHECK(ring.find("older000") != nullptr);
}

TEST_CASE("pepper_ring: an entry that does not decode is corrupt, and is never replaced", "[keys]")
{
    const auto text = GENERATE(as<std::string>{}, "", "{}", "[]", R"({"peppers":[]})", R"({"peppers":[{"id":"a"}]})",
                               R"({"peppers":[{"id":"a","value":"short"}]})");
    FakeSecretVault vault;
    const Secret entry{text};
    REQUIRE(run(vault.write("platform/pepper", entry, 0)));
    PepperRing ring;
    const auto loaded = run(ring.load(vault));
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error() == errc::corrupt);
    CHECK(run(vault.read("platform/pepper")).value()->version == 1);
}

TEST_CASE("pepper_ring: a vault out of reach is unavailable", "[keys]")
{
    FakeSecretVault vault;
    vault.faults.fail_all();
    PepperRing ring;
    CHECK(run(ring.load(vault)).error() == errc::unavailable);
}

TEST_CASE("pepper_ring: a node that may not write finds a pepper or says that there is none", "[keys]")
{
    FakeSecretVault vault;
    PepperRing reading, writing;
    const result<void> none = run(reading.load(vault, false));
    REQUIRE(none.has_error());
    CHECK(none.error() == errc::not_found);
    CHECK(vault.size() == 0);
    REQUIRE(run(writing.load(vault)));
    REQUIRE(run(reading.load(vault, false)));
    CHECK(reading.current().id == writing.current().id);
}
