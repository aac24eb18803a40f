// Comma-separated values as RFC 4180 has them: quoted fields may hold commas, doubled quotes and line breaks; rows end
// with LF or CRLF; a byte order mark at the start is passed over. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gw::cli {

struct CsvRow {
    std::size_t line = 0; // where it begins, from 1
    std::vector<std::string> fields;
    std::string problem;  // if it is not well formed: then the fields mean nothing
};

// Empty lines are no rows. After a row that is not well formed the next line is read as usual.
std::vector<CsvRow> parse_csv(std::string_view text);

} // namespace gw::cli
