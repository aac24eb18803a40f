// The rules between fields: names that must exist, routes that must not tie, listeners that must not clash,
// limits that a request can meet; and warnings about what is allowed but seldom meant. Rules of a single
// value are settings/load's.
#pragma once

#include "settings/load.hpp"
#include "settings/settings.hpp"

#include <vector>

namespace gw {

// Every problem, in the order of the file. Changes nothing. What load found wrong is empty in `settings` and
// not reported a second time.
std::vector<Problem> validate(const Settings& settings);

// `loaded` with the problems of `validate` among its own: what `check` prints, what `serve` and a reload ask.
Loaded validated(Loaded loaded);

} // namespace gw
