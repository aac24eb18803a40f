#include "cli/csv.hpp"

#include <catch2/catch.hpp>

using namespace gw::cli;

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows fields_of(std::string_view text)
{
    Rows rows;
    for (const CsvRow& row : parse_csv(text)) {
        CHECK(row.problem.empty());
        rows.push_back(row.fields);
    }
    return rows;
}

} // namespace

TEST_CASE("csv: fields as RFC 4180 has them", "[cli]")
{
    CHECK(fields_of("a,b\nc,d\n") == Rows{{"a", "b"}, {"c", "d"}});
    CHECK(fields_of("a,b\r\nc,d") == Rows{{"a", "b"}, {"c", "d"}});
    CHECK(fields_of("\xEF\xBB\xBF"
                    "a,b") == Rows{{"a", "b"}});
    CHECK(fields_of("\"a,\"\"b\"\"\",\"c\nd\"\ne,f") == Rows{{"a,\"b\"", "c\nd"}, {"e", "f"}});
    CHECK(fields_of("a,,\n,,\n") == Rows{{"a", "", ""}, {"", "", ""}});
    CHECK(fields_of("a,\"\"\n") == Rows{{"a", ""}});
    CHECK(fields_of("\n\r\na\n\n") == Rows{{"a"}});
    CHECK(fields_of("").empty());
}

TEST_CASE("csv: a row knows its line, also behind fields of several lines", "[cli]")
{
    const auto rows = parse_csv("a\n\"b\nb\",x\n\nc\n");
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].line == 1);
    CHECK(rows[1].line == 2);
    CHECK(rows[2].line == 5);
}

TEST_CASE("csv: a row that is not well formed says why, and the next is read", "[cli]")
{
    const auto [text, problem] = GENERATE(table<std::string, std::string>({
        {"a\n\"b\"c,d\ne\n", "text follows"},
        {"a\nb\"c\",d\ne\n", "a quote inside"},
        {"a\n\"b,c\ne\n", "not closed"},
    }));
    const auto rows = parse_csv(text);
    REQUIRE(rows.size() == 3);
    CHECK(rows[1].line == 2);
    CHECK(rows[1].problem.find(problem) != std::string::npos);
    CHECK(rows[2].line == 3);
    CHECK(rows[2].fields == std::vector<std::string>{"e"});
}
