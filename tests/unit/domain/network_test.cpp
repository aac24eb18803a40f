// Addresses and CIDR networks.
#include "domain/network.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace gw;

namespace {

Address address(std::string_view text)
{
    const auto parsed = Address::parse(text);
    REQUIRE(parsed);
    return *parsed;
}

Network network(std::string_view text)
{
    const auto parsed = Network::parse(text);
    REQUIRE(parsed);
    return *parsed;
}

} // namespace

TEST_CASE("Address: textual forms are read and written canonically", "[domain]")
{
    const auto [text, canonical] = GENERATE(table<std::string, std::string>({
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"::", "::"},
        {"[::1]", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
    }));
    CHECK(address(text).str() == canonical);
    CHECK(Address::parse(address(text).str()) == address(text));
}

TEST_CASE("Address: what is no address is refused", "[domain]")
{
    const std::string bad = GENERATE(as<std::string>{}, "", "[]", "1.2.3", "1.2.3.4.5", "256.0.0.1",
                                     "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "2130706433", "fe80::1%eth0",
                                     "[1.2.3.4]", "::1]", "[::1", "2001:db8::1::2", "12345::", "localhost");
    CHECK_FALSE(Address::parse(bad));
    CHECK_FALSE(Address::parse(std::string("1.2.3.4\0", 8)));
    CHECK_FALSE(Address::parse(std::string(100, ':')));
}

TEST_CASE("Address: v4 and its mapped form are one address", "[domain]")
{
    CHECK(address("10.0.0.1") == address("::ffff:10.0.0.1"));
    CHECK(address("10.0.0.1") == Address::from_v4(0x0A000001));
    CHECK(Address::from_v6(address("10.0.0.1").bytes()).is_v4());
    CHECK_FALSE(address("::10.0.0.1").is_v4());
}

TEST_CASE("Address: strangers are counted by address or by /64", "[domain]")
{
    CHECK(address("192.0.2.77").counting_prefix() == address("192.0.2.77"));
    CHECK(address("2001:db8:1:2:3:4:5:6").counting_prefix() == address("2001:db8:1:2::"));
}

TEST_CASE("Address: writing needs no allocation and a short buffer gets nothing", "[domain]")
{
    char buffer[46];
    CHECK(address("2001:db8::1").write(buffer) == "2001:db8::1");
    char small[4];
    CHECK(address("2001:db8::1").write(small).empty());
}

TEST_CASE("Network: holds what it says", "[domain]")
{
    const auto [net, inside, outside] = GENERATE(table<std::string, std::string, std::string>({
        {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
        {"192.0.2.128/25", "192.0.2.200", "192.0.2.127"},
        {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
        {"192.0.2.1/32", "::ffff:192.0.2.1", "192.0.2.0"},
        {"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
        {"::/0", "2001:db8::1", "203.0.113.9"},
        {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
        {"::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"},
        {"::1", "::1", "::2"},
    }));
    INFO(net);
    CHECK(network(net).contains(address(inside)));
    CHECK_FALSE(network(net).contains(address(outside)));
}

TEST_CASE("Network: malformed text and set host bits are refused", "[domain]")
{
    const std::string bad =
        GENERATE(as<std::string>{}, "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/08",
                 "10.0.0.0/+8", "10.0.0.0/8x", "10.0.0.0/-1", "2001:db8::/129", "2001:db8::1/64",
                 "10.0.0.0/8/8", "10.0.0.0/99999999999", "::ffff:10.0.0.0/8", "[::1]/128");
    INFO(bad);
    CHECK_FALSE(Network::parse(bad));
}

TEST_CASE("Network: text survives the way through", "[domain]")
{
    const auto [text, canonical] = GENERATE(table<std::string, std::string>({
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"192.0.2.1/32", "192.0.2.1"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::/0", "::/0"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
    }));
    CHECK(network(text).str() == canonical);
    CHECK(Network::parse(network(text).str()) == network(text));
}

TEST_CASE("any_contains: one network is enough, and none holds nothing", "[domain]")
{
    const std::vector<Network> networks{network("10.0.0.0/8"), network("2001:db8::/32")};
    CHECK(any_contains(networks, address("10.9.9.9")));
    CHECK(any_contains(networks, address("2001:db8::9")));
    CHECK_FALSE(any_contains(networks, address("192.0.2.1")));
    CHECK_FALSE(any_contains({}, address("10.9.9.9")));
}
