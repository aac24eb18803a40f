// Targets: the normal form, what is refused because an upstream could read it differently, and hosts.
#include "http1/target.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <vector>

using namespace gw::http1;

namespace {

TargetError normalise(std::string_view raw, std::string& path, bool is_options = false)
{
    std::vector<char> scratch(raw.size()); // exactly what the contract asks for
    Target target;
    const TargetError error = normalise_target(raw, is_options, scratch, target);
    path = std::string{target.path};
    return error;
}

} // namespace

TEST_CASE("target: a path is brought into its normal form", "[http1]")
{
    const auto [raw, expected] = GENERATE(table<std::string, std::string>({
        {"/", "/"},
        {"/a/b", "/a/b"},
        {"/a/b/", "/a/b/"},
        {"//", "/"},
        {"//a///b//", "/a/b/"},
        {"/./a", "/a"},
        {"/a/.", "/a/"},
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/..", "/"},
        {"/a/b/..", "/a/"},
        {"/a/b/../..", "/"},
        {"/a/b/../../c", "/c"},
        {"/a//../b", "/b"},
        {"/%61/%7Eb", "/a/~b"},
        {"/%2e%2E/", ""}, // above the root: see below
        {"/a/%2e%2E/b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a/%2e", "/a/"},
        {"/a%2db", "/a-b"},
        {"/%c3%a9", "/%C3%A9"},
        {"/%e9t%e9", "/%E9t%E9"},
        {"/a%20b", "/a%20b"},
        {"/a%3fb%23", "/a%3Fb%23"},
        {"/100%25", "/100%25"},
        {"/100%2525", "/100%2525"},
        {"/a%25b", "/a%25b"},
        {"/a;v=1/b", "/a;v=1/b"},
        {"/a;v=1.2", "/a;v=1.2"},
        {"/;jsessionid=1", "/;jsessionid=1"},
        {"/.well-known/x", "/.well-known/x"},
        {"/a/...", "/a/..."},
        {"/a..b/.c", "/a..b/.c"},
        {"/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="},
    }));
    std::string path;
    const TargetError error = normalise(raw, path);
    INFO(raw);
    if (expected.empty()) {
        CHECK(error == TargetError::above_root);
        return;
    }
    CHECK(error == TargetError::none);
    CHECK(path == expected);
    // The normal form is a fixed point.
    std::string again;
    CHECK(normalise(path, again) == TargetError::none);
    CHECK(again == path);
}

TEST_CASE("target: what an upstream could read differently is refused", "[http1]")
{
    const auto [raw, expected] = GENERATE(table<std::string, TargetError>({
        {"/a%2fb", TargetError::encoded_separator},
        {"/a%2Fb", TargetError::encoded_separator},
        {"/a%5cb", TargetError::encoded_separator},
        {"/a\\b", TargetError::encoded_separator},
        {"/..\\a", TargetError::encoded_separator},
        {"/a%252fb", TargetError::encoded_separator},
        {"/a%25255Cb", TargetError::encoded_separator},
        {"/a%00", TargetError::encoded_control},
        {"/a%0d%0a", TargetError::encoded_control},
        {"/a%7F", TargetError::encoded_control},
        {"/a%2500", TargetError::encoded_control},
        {"/%252e%252e/a", TargetError::ambiguous_dots},
        {"/a/%25252E%25252E", TargetError::ambiguous_dots},
        {"/a/..;/b", TargetError::ambiguous_dots},
        {"/a/..;x=1/b", TargetError::ambiguous_dots},
        {"/a/.;/b", TargetError::ambiguous_dots},
        {"/a/;../b", TargetError::ambiguous_dots},
        {"/a/%2e%2e;/b", TargetError::ambiguous_dots},
        {"/a/..%3B/b", TargetError::ambiguous_dots},
        {"/a/..%3b/b", TargetError::ambiguous_dots},
        {"/a/;/../b", TargetError::ambiguous_dots},
        {"/a/..;", TargetError::ambiguous_dots},
        {"/%c0%ae%c0%ae/", TargetError::ambiguous_dots},
        {"/%c0%af", TargetError::ambiguous_dots},
        {"/%c1%9c", TargetError::ambiguous_dots},
        {"/%e0%80%ae", TargetError::ambiguous_dots},
        {"/%f0%80%80%ae", TargetError::ambiguous_dots},
        {"/%f8%80%80%80%ae", TargetError::ambiguous_dots},
        {"/a%", TargetError::bad_escape},
        {"/a%2", TargetError::bad_escape},
        {"/a%zz", TargetError::bad_escape},
        {"/a%u002e", TargetError::bad_escape},
        {"/%%32%65", TargetError::bad_escape},
        {"/..", TargetError::above_root},
        {"/../a", TargetError::above_root},
        {"/a/../../b", TargetError::above_root},
        {"/./../b", TargetError::above_root},
        {"//../b", TargetError::above_root},
        {"/a#b", TargetError::invalid_character},
        {"/a b", TargetError::invalid_character},
        {"/caf\xc3\xa9", TargetError::invalid_character},
        {"/a\x7f", TargetError::invalid_character},
        {"/a?b#c", TargetError::invalid_character},
        {"/a?b\x01", TargetError::invalid_character},
        {"", TargetError::not_a_path},
        {"a/b", TargetError::not_a_path},
        {"*", TargetError::not_a_path},
        {"a.example:443", TargetError::not_a_path},
        {"http:///a", TargetError::not_a_path},
    }));
    std::string path;
    INFO(raw);
    CHECK(normalise(raw, path) == expected);
    CHECK(std::string{describe(expected)}.size() > 10);
}

TEST_CASE("target: a normal path is a view into what was sent", "[http1]")
{
    const std::string raw = "/v1/orders/7?limit=1";
    Target target;
    REQUIRE(normalise_target(raw, false, {}, target) == TargetError::none);
    CHECK(target.path.data() == raw.data());
    CHECK(target.path == "/v1/orders/7");
}

TEST_CASE("target: a path that needs more room than there is is refused", "[http1]")
{
    std::array<char, 3> scratch;
    Target target;
    CHECK(normalise_target("/a//b", false, scratch, target) == TargetError::too_long);
}

TEST_CASE("target: the query is kept as sent", "[http1]")
{
    const auto [raw, has_query, query] = GENERATE(table<std::string, bool, std::string>({
        {"/a", false, ""},
        {"/a?", true, ""},
        {"/a?b=%2f..%zz//;?", true, "b=%2f..%zz//;?"},
        {"http://h?x", true, "x"},
    }));
    std::vector<char> scratch(raw.size());
    Target target;
    REQUIRE(normalise_target(raw, false, scratch, target) == TargetError::none);
    CHECK(target.has_query == has_query);
    CHECK(target.query == query);
}

TEST_CASE("target: absolute and asterisk forms are understood", "[http1]")
{
    std::array<char, 64> scratch;
    Target target;
    REQUIRE(normalise_target("HTTP://a.example:80/x//y", false, scratch, target) == TargetError::none);
    CHECK(target.authority == "a.example:80");
    CHECK(target.path == "/x/y");
    REQUIRE(normalise_target("https://a.example", false, scratch, target) == TargetError::none);
    CHECK(target.path == "/");
    REQUIRE(normalise_target("*", true, scratch, target) == TargetError::none);
    CHECK(target.path == "*");
}

TEST_CASE("target: hosts are valid or not", "[http1]")
{
    const auto [host, valid] = GENERATE(table<std::string, bool>({
        {"a", true},
        {"a.example.com", true},
        {"a.example.com.", true},
        {"A-1_b.example:8080", true},
        {"127.0.0.1:1", true},
        {"[::1]", true},
        {"[2001:db8::1]:443", true},
        {"a:", true},
        {"a:65535", true},
        {"", false},
        {":80", false},
        {"a:65536", false},
        {"a:x", false},
        {"a:-1", false},
        {"a:000080", false},
        {"a b", false},
        {"a,b", false},
        {"a/b", false},
        {"a@b", false},
        {"a%41", false},
        {"a..b", false},
        {".a", false},
        {"::1", false},
        {"[::1", false},
        {"[::1]x", false},
        {"[]", false},
        {"[1.2.3.4]", false},
        {"[::g]", false},
        {"a\\b", false},
        {"a?b", false},
        {"a\xc3\xa9", false},
    }));
    INFO(host);
    CHECK(is_valid_host(host) == valid);
    CHECK_FALSE(is_valid_host(std::string(262, 'a')));
}

TEST_CASE("target: a host is taken without its port", "[http1]")
{
    CHECK(host_without_port("a.example:80") == "a.example");
    CHECK(host_without_port("a.example") == "a.example");
    CHECK(host_without_port("[::1]:80") == "[::1]");
    CHECK(host_without_port("[::1]") == "[::1]");
}
