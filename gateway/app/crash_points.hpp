// PORTCULLIS_CRASH_AT=<point> ends the process at a named point of a key's life, as kill -9 would: how the tests
// show that nothing is left half-written.
#pragma once

#include <functional>
#include <string_view>

namespace gw {

// Empty unless the variable is set.
std::function<void(std::string_view)> crash_points();

} // namespace gw
