// The tree: what it keeps, and where it says things stood.
#include "settings/yaml_tree.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

YamlNode tree_of(const std::string& text)
{
    std::vector<Problem> problems;
    YamlNode tree = parse_yaml(text, problems);
    INFO(text);
    REQUIRE(problems.empty());
    return tree;
}

std::vector<Problem> problems_of(const std::string& text)
{
    std::vector<Problem> problems;
    parse_yaml(text, problems);
    return problems;
}

} // namespace

TEST_CASE("yaml_tree: keys and values know their places", "[settings]")
{
    const YamlNode tree = tree_of("# first\na: 1\nb:\n  - x\n  - { c: \"q\" }\n");
    REQUIRE(tree.kind == YamlNode::Kind::mapping);
    REQUIRE(tree.entries.size() == 2);
    CHECK(tree.entries[0].mark == SourceMark{2, 1});
    CHECK(tree.entries[0].value.mark == SourceMark{2, 4});
    CHECK(tree.entries[1].value.items[0].mark == SourceMark{4, 5});
    const YamlNode& inner = tree.entries[1].value.items[1];
    CHECK(inner.mark == SourceMark{5, 5});
    CHECK(inner.entries[0].mark == SourceMark{5, 7});
    CHECK(inner.entries[0].value.mark == SourceMark{5, 10});
    CHECK(inner.entries[0].value.text == "q");
}

TEST_CASE("yaml_tree: a key that stands twice is kept twice", "[settings]")
{
    const YamlNode tree = tree_of("a: 1\na: 2\n");
    REQUIRE(tree.entries.size() == 2);
    CHECK(tree.entries[1].value.text == "2");
}

TEST_CASE("yaml_tree: an empty value stands where its key does", "[settings]")
{
    const YamlNode tree = tree_of("a:\nb: ~\n");
    CHECK(tree.entries[0].value.kind == YamlNode::Kind::null);
    CHECK(tree.entries[0].value.mark == SourceMark{1, 1});
    CHECK(tree.entries[1].value.mark == SourceMark{2, 1});
}

TEST_CASE("yaml_tree: an alias is a copy, at its own place", "[settings]")
{
    const YamlNode tree = tree_of("a: &x { k: v }\nb: *x\n");
    const YamlNode& copy = tree.entries[1].value;
    CHECK(copy.mark == SourceMark{2, 4});
    REQUIRE(copy.entries.size() == 1);
    CHECK(copy.entries[0].value.text == "v");
}

TEST_CASE("yaml_tree: an empty text is nothing", "[settings]")
{
    CHECK(tree_of("").kind == YamlNode::Kind::null);
    CHECK(tree_of("# only this\n").kind == YamlNode::Kind::null);
}

TEST_CASE("yaml_tree: a syntax error has its place", "[settings]")
{
    const auto problems = problems_of("a: 1\nb: [1, 2\nc: 3\n");
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0].message, Catch::StartsWith("YAML syntax: "));
    CHECK(problems[0].mark.line >= 2);
    CHECK(problems[0].mark.column >= 1);
}

TEST_CASE("yaml_tree: a tab where spaces belong is a syntax error at that line", "[settings]")
{
    const auto problems = problems_of("a:\n\tb: 1\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].mark.line == 2);
}

TEST_CASE("yaml_tree: a second document is refused", "[settings]")
{
    const auto problems = problems_of("a: 1\n---\nb: 2\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].mark.line == 2);
}

TEST_CASE("yaml_tree: a key that is no text is refused", "[settings]")
{
    const auto problems = problems_of("a: 1\n? [x]\n: 2\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].mark == SourceMark{2, 3});
}

TEST_CASE("yaml_tree: aliases of aliases end before they fill the memory", "[settings]")
{
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
        for (int j = 1; j < 10; ++j)
            text += ", " + last;
        text += "]\n";
    }
    const auto problems = problems_of(text);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].message == "the document is too large");
}

TEST_CASE("yaml_tree: deep nesting is a problem, not the end of the process", "[settings]")
{
    CHECK_FALSE(problems_of(std::string(100'000, '[')).empty());
    CHECK_FALSE(problems_of("&a [*a]").empty());
}
