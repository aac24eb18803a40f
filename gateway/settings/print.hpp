// The configuration in effect, defaults included and secrets masked: what /config shows and what a reload
// compares.
#pragma once

#include "settings/settings.hpp"

#include <string>

namespace gw {

// YAML in the form of the configuration itself. Secrets read `"********"`, which no configuration accepts;
// values that came from references otherwise stand there as they are.
std::string print_settings(const Settings& settings);

} // namespace gw
