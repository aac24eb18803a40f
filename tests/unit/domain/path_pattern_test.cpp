// Path patterns: what they accept, what they match, and which of two wins a path.
#include "domain/path_pattern.hpp"

#include <catch2/catch.hpp>

using gw::PathPattern;

namespace {

PathPattern pattern(std::string_view text)
{
    auto parsed = PathPattern::parse(text);
    INFO(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

bool shadowed(std::vector<std::string_view> texts, std::size_t index, std::size_t* by = nullptr)
{
    std::vector<PathPattern> patterns;
    for (const std::string_view text : texts)
        patterns.push_back(pattern(text));
    std::size_t winner = 0;
    const bool result = gw::is_shadowed(patterns, index, winner);
    if (by != nullptr)
        *by = winner;
    return result;
}

} // namespace

TEST_CASE("path_pattern: a malformed pattern is refused with the reason", "[domain]")
{
    auto [text, reason] = GENERATE(table<std::string, std::string>({
        {"", "must start with"},
        {"v1/orders", "must start with"},
        {"/a//b", "empty segment"},
        {"//", "empty segment"},
        {"/a/**/b", "may only be the last"},
        {"/a*", "stand alone"},
        {"/a/***", "stand alone"},
        {"/a/{id}x", "brace inside"},
        {"/a/{}", "name is not"},
        {"/a/{1d}", "name is not"},
        {"/a/{x}/{x}", "{x} twice"},
        {"/a/../b", "dot segment"},
        {"/.", "dot segment"},
        {"/a?b=c", "query"},
        {"/a b", "percent-encoded"},
        {"/caf\xc3\xa9", "percent-encoded"},
        {"/%41", "plainly as `A`"},
        {"/%2F", "refused for"},
        {"/%2f", "upper case"},
        {"/%5C", "refused for"},
        {"/100%", "two hexadecimal"},
    }));
    INFO(text);
    const auto parsed = PathPattern::parse(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK_THAT(parsed.error(), Catch::Contains(reason));
}

TEST_CASE("path_pattern: more than 64 segments or 1024 characters are refused", "[domain]")
{
    std::string deep;
    for (int i = 0; i < 64; ++i)
        deep += "/a";
    CHECK(PathPattern::parse(deep).has_value());
    CHECK_FALSE(PathPattern::parse(deep + "/a").has_value());
    CHECK_FALSE(PathPattern::parse("/" + std::string(1024, 'a')).has_value());
}

TEST_CASE("path_pattern: a path matches segment by segment", "[domain]")
{
    auto [text, path, expected] = GENERATE(table<std::string, std::string, bool>({
        {"/", "/", true},
        {"/", "/a", false},
        {"/a", "/a", true},
        {"/a", "/a/", false},
        {"/a/", "/a/", true},
        {"/a/", "/a", false},
        {"/a", "/A", false},
        {"/a/{id}", "/a/7", true},
        {"/a/{id}", "/a/", false},
        {"/a/{id}", "/a", false},
        {"/a/{id}", "/a/7/x", false},
        {"/a/*/c", "/a/b/c", true},
        {"/a/*/c", "/a//c", false},
        {"/a/**", "/a", true},
        {"/a/**", "/a/", true},
        {"/a/**", "/a/b/c/", true},
        {"/a/**", "/ab", false},
        {"/**", "/", true},
        {"/**", "/x/y", true},
        {"/**", "*", false},
        {"/**", "", false},
        {"/%C3%A9", "/%C3%A9", true},
        {"/a/{x}/**", "/a", false},
        {"/a/{x}/**", "/a/b", true},
    }));
    INFO(text << " on " << path);
    CHECK(pattern(text).matches(path) == expected);
}

TEST_CASE("path_pattern: the first differing segment decides, literal before {x} before * before **",
          "[domain]")
{
    auto [first, second] = GENERATE(table<std::string, std::string>({
        {"/a/b", "/a/{x}"},
        {"/a/{x}", "/a/*"},
        {"/a/*", "/a/**"},
        {"/a", "/a/**"},
        {"/a/{x}/**", "/a/*/b"},
        {"/{x}/**", "/*/b/c"},
        {"/a/**", "/{x}/b/c"},
    }));
    INFO(first << " before " << second);
    CHECK(pattern(first).precedes(pattern(second)));
    CHECK_FALSE(pattern(second).precedes(pattern(first)));
}

TEST_CASE("path_pattern: patterns of one shape tie, whatever their parameters are called", "[domain]")
{
    CHECK(pattern("/a/{x}/**").ties_with(pattern("/a/{y}/**")));
    CHECK(pattern("/a").ties_with(pattern("/a")));
    CHECK_FALSE(pattern("/a/{x}").ties_with(pattern("/a/*")));
    CHECK_FALSE(pattern("/a").ties_with(pattern("/a/")));
    CHECK_FALSE(pattern("/a").ties_with(pattern("/b")));
    CHECK_FALSE(pattern("/a/{x}").precedes(pattern("/a/{y}")));
}

TEST_CASE("path_pattern: a pattern whose every path another wins is shadowed", "[domain]")
{
    std::size_t by = 99;
    CHECK(shadowed({"/a/*", "/a/{x}"}, 0, &by));
    CHECK(by == 1);
    CHECK(shadowed({"/a/{x}/**", "/a/*/b"}, 1));
    CHECK(shadowed({"/a/{x}/**", "/a/*/**"}, 1));
    // Only together do these three win all that /a/** matches.
    CHECK(shadowed({"/a/**", "/a/{x}/**", "/a", "/a/"}, 0));
    CHECK_FALSE(shadowed({"/a/**", "/a/{x}/**", "/a"}, 0)); // "/a/" is left
    CHECK_FALSE(shadowed({"/a/**", "/a/{x}/**", "/a/"}, 0));
    CHECK(shadowed({"/**", "/{x}/**", "/"}, 0));
}

TEST_CASE("path_pattern: a pattern that keeps one path is not shadowed", "[domain]")
{
    CHECK_FALSE(shadowed({"/a/{x}", "/a/*"}, 0));
    CHECK_FALSE(shadowed({"/a/{x}", "/a/b"}, 0));
    CHECK_FALSE(shadowed({"/**", "/a", "/x", "/xx"}, 0));
    CHECK_FALSE(shadowed({"/{x}/b", "/{x}/**"}, 1));
    CHECK_FALSE(shadowed({"/a/{x}", "/a/{y}"}, 1)); // a tie, reported as such
}
