// The last stage, for every outcome, exactly once: usage, access log, metrics.
#pragma once

#include "request/exchange.hpp"
#include "request/services.hpp"

namespace gw {

// Allocates nothing once its buffers have grown.
void account(const Exchange& x, Services& s) noexcept;

} // namespace gw
