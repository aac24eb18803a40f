// `${env:NAME}` and `${file:PATH}` inside values: how secrets, and whatever else differs between machines,
// get into a configuration without standing in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

struct Expanded {
    std::string text;
    bool has_reference = false;        // then `text` may be secret: messages show what was written instead
    std::vector<std::string> problems; // unresolved or malformed references; `text` is then incomplete
};

// Replaces every reference in `raw`. Relative paths start at `directory`; one line end at the end of a file
// is not part of its value. Reads the environment and files of at most 64 KiB.
Expanded expand_references(std::string_view raw, const std::string& directory);

} // namespace gw
