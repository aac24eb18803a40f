// The path of a route as declared: literal segments, `{name}`, `*` (one segment each) and a trailing `**`
// (any number of segments, also none). Parsing, matching and precedence, without I/O. settings/validate uses
// it to find ties and shadowed routes, request/route_table to compile: both must mean the same.
#pragma once

#include <boost/system/result.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

class PathPattern {
public:
    // In order of precedence. A path that ends here goes before `rest`.
    enum class Kind : std::uint8_t { literal, parameter, any, rest };

    struct Segment {
        Kind kind = Kind::literal;
        std::string text; // the literal, or the parameter's name
        friend bool operator==(const Segment&, const Segment&) = default;
    };

    static constexpr std::size_t k_max_segments = 64;
    static constexpr std::size_t k_max_bytes = 1024;

    // The error is a sentence for the author of the pattern, without the pattern itself. Literals must be
    // written in the normalised form in which requests are matched (no dot segments, no "//", no needless
    // escapes).
    static boost::system::result<PathPattern, std::string> parse(std::string_view text);

    const std::vector<Segment>& segments() const noexcept { return segments_; }

    // Does this pattern match a normalised path? "/a/**" matches "/a", "/a/" and "/a/b/c"; `{x}` and `*`
    // never match an empty segment, so that "/a/*" does not match "/a/".
    bool matches(std::string_view path) const noexcept;

    // The same shape: they match exactly the same paths, and neither precedes the other. Names do not count.
    bool ties_with(const PathPattern& other) const noexcept;
    // Of two patterns that match one path: does this one win it? The first segment that differs decides:
    // literal before `{x}` before `*` before `**`, and the path's end before `**`.
    bool precedes(const PathPattern& other) const noexcept;

private:
    std::vector<Segment> segments_;
};

// Is route `index` of `patterns` (all of one host) never reached, since others win every path it matches?
// `winner` is set to one that does. Ties are not shadows: nothing is said of them here.
bool is_shadowed(const std::vector<PathPattern>& patterns, std::size_t index, std::size_t& winner);

} // namespace gw
