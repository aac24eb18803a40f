// Path patterns: see the header. Precedence is a property of two patterns alone and never of the path, since
// the first differing segment of two patterns that match one path can only differ in kind.
#include "domain/path_pattern.hpp"

#include <algorithm>
#include <array>

namespace gw {
namespace {

bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

bool is_path_character(char c)
{
    return is_unreserved(c) || std::string_view{"!$&'()+,;=:@"}.find(c) != std::string_view::npos;
}

int upper_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Empty if `text` is a literal segment in normalised form, else what is wrong with it.
std::string literal_problem(std::string_view text)
{
    if (text == "." || text == "..")
        return "has a dot segment, which no normalised path contains";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_path_character(c))
            continue;
        if (c == '*')
            return "has `*` inside a segment; `*` and `**` stand alone between slashes";
        if (c == '{' || c == '}')
            return "has a brace inside a segment; a parameter is a whole segment, as in /orders/{id}";
        if (c == '?' || c == '#')
            return "has a query or a fragment; only the path is matched";
        if (c != '%')
            return "has a character that paths carry percent-encoded (write it as %XX)";
        const int high = i + 1 < text.size() ? upper_hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? upper_hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            return "has `%` without two hexadecimal digits in upper case after it";
        const char decoded = static_cast<char>(high * 16 + low);
        if (is_unreserved(decoded))
            return std::string{"has an escape that normalised paths write plainly as `"} + decoded + "`";
        if (decoded == '/' || decoded == '\\' || static_cast<unsigned char>(decoded) < 0x20 ||
            decoded == 0x7F)
            return "has an escape that every request is refused for (slash, backslash or control)";
        i += 2;
    }
    return {};
}

bool is_parameter_name(std::string_view name)
{
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_unreserved(c) && c != '-' && c != '.' && c != '~'; });
}

// The next segment of `rest`, which is then what follows its slash; `more` says whether there was a slash.
std::string_view take_segment(std::string_view& rest, bool& more)
{
    const std::size_t slash = rest.find('/');
    more = slash != std::string_view::npos;
    const std::string_view segment = rest.substr(0, slash);
    rest = more ? rest.substr(slash + 1) : std::string_view{};
    return segment;
}

boost::system::result<PathPattern::Segment, std::string> parse_segment(std::string_view text)
{
    using Kind = PathPattern::Kind;
    if (text == "*")
        return PathPattern::Segment{Kind::any, {}};
    if (text == "**")
        return PathPattern::Segment{Kind::rest, {}};
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}') {
        const std::string_view name = text.substr(1, text.size() - 2);
        if (!is_parameter_name(name))
            return std::string{"has a parameter whose name is not [A-Za-z_][A-Za-z0-9_]*"};
        return PathPattern::Segment{Kind::parameter, std::string{name}};
    }
    if (std::string problem = literal_problem(text); !problem.empty())
        return problem;
    return PathPattern::Segment{Kind::literal, std::string{text}};
}

// Where a pattern's end stands among the kinds: before `rest`, with which alone it can share a path.
int rank_at(const PathPattern& pattern, std::size_t i)
{
    return i < pattern.segments().size() ? static_cast<int>(pattern.segments()[i].kind) : -1;
}

} // namespace

boost::system::result<PathPattern, std::string> PathPattern::parse(std::string_view text)
{
    if (text.empty() || text[0] != '/')
        return std::string{"must start with `/`"};
    if (text.size() > k_max_bytes)
        return "is longer than " + std::to_string(k_max_bytes) + " characters";

    PathPattern pattern;
    std::string_view rest = text.substr(1);
    for (bool more = true; more;) {
        const std::string_view part = take_segment(rest, more);
        if (part.empty() && more)
            return std::string{"has an empty segment (`//`), which no normalised path contains"};
        auto segment = parse_segment(part);
        if (!segment)
            return segment.error();
        if (segment->kind == Kind::rest && more)
            return std::string{"has `**` before its end; it may only be the last segment"};
        const bool repeated = segment->kind == Kind::parameter &&
                              std::find(pattern.segments_.begin(), pattern.segments_.end(), *segment) !=
                                  pattern.segments_.end();
        if (repeated)
            return "has the parameter {" + segment->text + "} twice";
        pattern.segments_.push_back(std::move(*segment));
    }
    if (pattern.segments_.size() > k_max_segments)
        return "has more than " + std::to_string(k_max_segments) + " segments";
    return pattern;
}

bool PathPattern::matches(std::string_view path) const noexcept
{
    if (path.empty() || path[0] != '/')
        return false;
    std::string_view rest = path.substr(1);
    bool more = true;
    for (const Segment& segment : segments_) {
        if (segment.kind == Kind::rest)
            return true;
        if (!more)
            return false;
        const std::string_view part = take_segment(rest, more);
        if (segment.kind == Kind::literal ? part != segment.text : part.empty())
            return false;
    }
    return !more;
}

bool PathPattern::ties_with(const PathPattern& other) const noexcept
{
    return std::equal(segments_.begin(), segments_.end(), other.segments_.begin(), other.segments_.end(),
                      [](const Segment& a, const Segment& b) {
                          return a.kind == b.kind && (a.kind != Kind::literal || a.text == b.text);
                      });
}

bool PathPattern::precedes(const PathPattern& other) const noexcept
{
    const std::size_t length = std::max(segments_.size(), other.segments_.size());
    for (std::size_t i = 0; i < length; ++i) {
        const int mine = rank_at(*this, i), theirs = rank_at(other, i);
        if (mine != theirs)
            return mine < theirs;
    }
    return false;
}

namespace {

// Paths that `pattern` matches and that as few others as possible do: what it leaves open is filled with a
// text that is nobody's literal. For `**` one path of each length up to `deepest` segments, without and with
// a slash at its end.
std::vector<std::string> witness_paths(const PathPattern& pattern, const std::string& fresh,
                                       std::size_t deepest)
{
    std::string path;
    bool open_ended = false;
    for (const PathPattern::Segment& segment : pattern.segments()) {
        open_ended = segment.kind == PathPattern::Kind::rest;
        if (!open_ended)
            path += '/' + (segment.kind == PathPattern::Kind::literal ? segment.text : fresh);
    }
    std::vector<std::string> paths;
    if (!open_ended || !path.empty())
        paths.push_back(path);
    for (std::size_t extra = 0; open_ended && extra <= deepest; ++extra) {
        paths.push_back(path + '/');
        path += '/' + fresh;
        paths.push_back(path);
    }
    return paths;
}

std::string fresh_segment(const std::vector<PathPattern>& patterns)
{
    std::string fresh = "x";
    const auto is_taken = [&fresh](const PathPattern& pattern) {
        return std::any_of(pattern.segments().begin(), pattern.segments().end(),
                           [&fresh](const PathPattern::Segment& s) { return s.text == fresh; });
    };
    while (std::any_of(patterns.begin(), patterns.end(), is_taken))
        fresh += 'x';
    return fresh;
}

} // namespace

// Whoever wins a witness wins every path of the same length that the pattern matches: a literal of the winner
// would have had to be the pattern's own. So it is enough to try one path per length, up to the deepest
// pattern.
bool is_shadowed(const std::vector<PathPattern>& patterns, std::size_t index, std::size_t& winner)
{
    std::size_t deepest = 0;
    for (const PathPattern& other : patterns)
        deepest = std::max(deepest, other.segments().size());

    const PathPattern& pattern = patterns[index];
    for (const std::string& path : witness_paths(pattern, fresh_segment(patterns), deepest)) {
        bool lost = false;
        for (std::size_t i = 0; i < patterns.size() && !lost; ++i) {
            lost = i != index && patterns[i].matches(path) && patterns[i].precedes(pattern);
            if (lost)
                winner = i;
        }
        if (!lost)
            return false;
    }
    return true;
}

} // namespace gw
