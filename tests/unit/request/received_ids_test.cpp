// What is believed of a trace context and of a trusted proxy's request id.
#include "request/header_rules.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace gw;

TEST_CASE("header_rules: traceparent is checked", "[request]")
{
    const auto [value, valid] = GENERATE(table<std::string, bool>({
        {"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01", true},
        {"cc-0123456789abcdef0123456789abcdef-0123456789abcdef-01-more", true},
        {"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01-more", false},
        {"cc-0123456789abcdef0123456789abcdef-0123456789abcdef-01more", false},
        {"ff-0123456789abcdef0123456789abcdef-0123456789abcdef-01", false},
        {"00-0123456789ABCDEF0123456789abcdef-0123456789abcdef-01", false},
        {"00-00000000000000000000000000000000-0123456789abcdef-01", false},
        {"00-0123456789abcdef0123456789abcdef-0000000000000000-01", false},
        {"00-0123456789abcdef0123456789abcdef-0123456789abcdef-0", false},
        {"00_0123456789abcdef0123456789abcdef-0123456789abcdef-01", false},
        {"", false},
    }));
    INFO(value);
    CHECK(is_valid_traceparent(value) == valid);
}

TEST_CASE("header_rules: request ids are checked", "[request]")
{
    CHECK(is_valid_request_id("01HXY-z_9.~"));
    CHECK(is_valid_request_id(std::string(128, 'a')));
    for (const std::string& bad :
         {std::string{}, std::string(129, 'a'), std::string{"a b"}, std::string{"a\"b"}, std::string{"a'b"},
          std::string{"a\\b"}, std::string{"a\r\nb"}, std::string{"caf\xc3\xa9"}, std::string{"a\x7f"}}) {
        INFO(bad);
        CHECK_FALSE(is_valid_request_id(bad));
    }
}
