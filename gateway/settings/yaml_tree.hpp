// YAML text as a tree of ours: every node with where it stood, every key of a mapping kept, also one that
// stands twice (yaml-cpp's own nodes lose both). The only door to yaml-cpp for reading.
#pragma once

#include "settings/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gw {

struct YamlNode {
    enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
    struct Entry;

    Kind kind = Kind::null;
    SourceMark mark;
    std::string text;            // of a scalar
    std::vector<YamlNode> items; // of a sequence
    std::vector<Entry> entries;  // of a mapping, in order of appearance
};

struct YamlNode::Entry {
    std::string key;
    SourceMark mark;
    YamlNode value;
};

std::string_view to_string(YamlNode::Kind kind) noexcept; // "a list", "a mapping", ...

// The first document of `text`. On a syntax error, on a second document, on keys that are no text and on a
// document of more than `max_nodes` (aliases of aliases grow without bound), problems are added; the tree is then what was read until
// there.
YamlNode parse_yaml(const std::string& text, std::vector<Problem>& problems, std::size_t max_nodes = 200'000);

} // namespace gw
