// The buffer that outgoing heads are composed in.
#include "http1/head_buffer.hpp"

#include <catch2/catch.hpp>

#include <string>

using gw::http1::HeadBuffer;

TEST_CASE("head_buffer: it grows by what is appended and keeps what was there", "[http1]")
{
    HeadBuffer buffer{4};
    buffer.append_field("Name", std::string(100, 'v'));
    buffer.append_field("Empty", {});
    buffer.append_number(18446744073709551615u);
    CHECK(buffer.view() == "Name: " + std::string(100, 'v') + "\r\nEmpty: \r\n18446744073709551615");
}

TEST_CASE("head_buffer: text is put before a position", "[http1]")
{
    HeadBuffer buffer{4};
    buffer.append("ad");
    buffer.insert(1, "bc");
    buffer.insert(4, "e");
    CHECK(buffer.view() == "abcde");
    buffer.truncate(2);
    CHECK(buffer.view() == "ab");
    buffer.clear();
    CHECK(buffer.size() == 0);
}
