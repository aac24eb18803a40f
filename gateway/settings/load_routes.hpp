// The sections that say where requests go: scopes, plans, upstreams and routes.
#pragma once

#include "settings/reader.hpp"

namespace gw {

void read_scopes(const Mapping& root, Settings& settings);
void read_plans(const Mapping& root, Settings& settings);
void read_upstreams(const Mapping& root, Settings& settings);
// One RouteSettings an item, also for those that are wrong, so that the positions hold; what could not be
// read of one is empty.
void read_routes(const Mapping& root, Settings& settings);

} // namespace gw
