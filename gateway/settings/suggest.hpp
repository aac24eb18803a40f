// "Did you mean ...?": the known word closest to one that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gw {

// How many insertions, deletions, replacements and swaps of neighbours lead from one to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The closest candidate, if it is close enough to be meant (a third of the word, at least one edit; case and
// `-` for
// `_` do not count); else empty. A view of the candidate.
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

// "; did you mean `x`?" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

} // namespace gw
