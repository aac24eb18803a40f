#include "adapters/redis/circuit.hpp"
#include "adapters/redis/reply_slots.hpp"

#include <catch2/catch.hpp>

using namespace gw::redis;
using std::chrono::milliseconds;

TEST_CASE("circuit: a new connection has to prove itself", "[redis]")
{
    Circuit circuit;
    CHECK_FALSE(circuit.is_closed());
    circuit.close();
    CHECK(circuit.is_closed());
}

TEST_CASE("circuit: opens after three timeouts in a row, and says so once", "[redis]")
{
    Circuit circuit;
    circuit.close();
    CHECK_FALSE(circuit.on_timeout());
    CHECK_FALSE(circuit.on_timeout());
    CHECK(circuit.is_closed());
    CHECK(circuit.on_timeout());
    CHECK_FALSE(circuit.is_closed());
    CHECK_FALSE(circuit.on_timeout());
}

TEST_CASE("circuit: an answer in time between timeouts keeps it closed", "[redis]")
{
    Circuit circuit;
    circuit.close();
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(circuit.on_timeout());
        CHECK_FALSE(circuit.on_timeout());
        circuit.on_answer();
    }
    CHECK(circuit.is_closed());
}

TEST_CASE("circuit: pauses double up to a second, half of each left to chance", "[redis]")
{
    Circuit least, most;
    milliseconds expected{50};
    for (int i = 0; i < 8; ++i) {
        CHECK(least.next_pause(0) == expected / 2);
        const milliseconds longest = most.next_pause(0.999999);
        CHECK(longest <= expected);
        CHECK(longest >= expected - milliseconds{2});
        expected = std::min(2 * expected, milliseconds{1000});
    }
    CHECK(least.next_pause(0) == milliseconds{500});
}

TEST_CASE("circuit: a success makes the pauses short again", "[redis]")
{
    Circuit circuit;
    for (int i = 0; i < 8; ++i)
        (void)circuit.next_pause(0);
    circuit.close();
    CHECK(circuit.next_pause(0) == milliseconds{25});
}

TEST_CASE("reply slots: come out in the order in which they went in, also while they grow", "[redis]")
{
    ReplySlots slots;
    std::uint64_t in = 0, out = 0;
    const auto as_pending = [](std::uint64_t number) {
        return reinterpret_cast<Pending*>(16 * (number + 1));
    };
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < round; ++i, ++in)
            CHECK(slots.push(as_pending(in)) == in);
        for (int i = 0; i < round / 2; ++i, ++out)
            REQUIRE(slots.pop() == as_pending(out));
    }
    CHECK(slots.size() == in - out);
    slots.at(out) = nullptr;
    CHECK(slots.pop() == nullptr);
    CHECK(slots.pop() == as_pending(out + 1));
}
