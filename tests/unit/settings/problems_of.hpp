// Loads a text and tells its problems in short form, for tests.
#pragma once

#include "settings/load.hpp"
#include "settings/validate.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace gw {

// "3:5: gateway.lisen: unknown key; ..." without the file's name, in the file's order.
inline std::vector<std::string> lines_of(const std::vector<Problem>& problems)
{
    std::vector<std::string> lines;
    for (const Problem& problem : problems)
        lines.push_back(problem.str("").substr(1));
    return lines;
}

inline std::vector<std::string> load_problems(const std::string& text)
{
    return lines_of(load_settings_text(text, "gateway.yaml").problems);
}

inline std::vector<std::string> all_problems(const std::string& text)
{
    return lines_of(validated(load_settings_text(text, "gateway.yaml")).problems);
}

inline Settings settings_of(const std::string& text)
{
    Loaded loaded = load_settings_text(text, "gateway.yaml");
    INFO(text);
    REQUIRE(lines_of(loaded.problems).empty());
    return std::move(loaded.settings);
}

} // namespace gw
