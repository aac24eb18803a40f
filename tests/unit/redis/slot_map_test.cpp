#include "adapters/redis/slot_map.hpp"

#include <catch2/catch.hpp>

using namespace gw::redis;

namespace {

Reply number(std::int64_t value)
{
    Reply reply;
    reply.kind = Reply::Kind::integer;
    reply.integer = value;
    return reply;
}

Reply text(std::string value)
{
    Reply reply;
    reply.kind = Reply::Kind::text;
    reply.text = std::move(value);
    return reply;
}

Reply array(std::vector<Reply> items)
{
    Reply reply;
    reply.kind = Reply::Kind::array;
    reply.items = std::move(items);
    return reply;
}

Server server(std::string host, std::uint16_t port)
{
    Server made;
    made.host = std::move(host);
    made.port = port;
    return made;
}

const Server k_asked = server("10.0.0.9", 7000);

} // namespace

TEST_CASE("cluster slots: as CLUSTER KEYSLOT says", "[redis]")
{
    auto [key, slot] =
        GENERATE(table<std::string, int>({{"123456789", 12739}, // CRC-16/XMODEM's check value, 0x31C3
                                          {"foo", 12182},
                                          {"", 0},
                                          {"{foo}bar", 12182},
                                          {"bar{foo}", 12182},
                                          {"{foo}{bar}", 12182}}));
    CHECK(slot_of(key) == slot);
}

TEST_CASE("cluster slots: empty and unfinished hash tags are no hash tags", "[redis]")
{
    CHECK(slot_of("{}foo") != slot_of("foo"));
    CHECK(slot_of("{foo") != slot_of("foo"));
    CHECK(slot_of("{{foo}}") == slot_of("{foo"));
}

TEST_CASE("cluster map: ranges with their primaries, replicas left out", "[redis]")
{
    const Reply reply =
        array({array({number(0), number(5460), array({text("10.0.0.1"), number(7001), text("id")}),
                      array({text("10.0.0.4"), number(7004), text("id")})}),
               array({number(5461), number(16383), array({text(""), number(7002)})})});
    const auto ranges = slot_ranges_in(reply, k_asked);
    REQUIRE(ranges);
    REQUIRE(ranges->size() == 2);
    CHECK(ranges->at(0).last == 5460);
    CHECK(ranges->at(0).primary == server("10.0.0.1", 7001));
    CHECK(ranges->at(1).primary == server("10.0.0.9", 7002)); // it does not know its own address
}

TEST_CASE("cluster map: what is no answer to CLUSTER SLOTS is refused", "[redis]")
{
    CHECK_FALSE(slot_ranges_in(text("x"), k_asked));
    CHECK_FALSE(slot_ranges_in(array({number(1)}), k_asked));
    CHECK_FALSE(
        slot_ranges_in(array({array({number(0), number(16384), array({text("h"), number(1)})})}), k_asked));
    CHECK_FALSE(
        slot_ranges_in(array({array({number(5), number(4), array({text("h"), number(1)})})}), k_asked));
    CHECK_FALSE(
        slot_ranges_in(array({array({number(0), number(1), array({text("h"), number(70000)})})}), k_asked));
}

TEST_CASE("cluster redirections: MOVED and ASK name slot and server", "[redis]")
{
    const auto moved = redirection_in("MOVED 3999 127.0.0.1:6381", k_asked);
    REQUIRE(moved);
    CHECK(moved->kind == Redirection::Kind::moved);
    CHECK(moved->slot == 3999);
    CHECK(moved->to == server("127.0.0.1", 6381));

    const auto ask = redirection_in("ASK 1 ::1:6381", k_asked);
    REQUIRE(ask);
    CHECK(ask->kind == Redirection::Kind::ask);
    CHECK(ask->to == server("::1", 6381));

    CHECK(redirection_in("MOVED 1 :6381", k_asked)->to == server("10.0.0.9", 6381));
    for (const char* other : {"ERR x", "MOVED", "MOVED 1", "MOVED x 1.2.3.4:1", "MOVED 16384 1.2.3.4:1",
                              "MOVED 1 h:0", "ASK 1 h:x"})
        CHECK_FALSE(redirection_in(other, k_asked));
}
