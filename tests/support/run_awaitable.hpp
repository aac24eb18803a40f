// run(awaitable): see net/run_awaitable.hpp.
#pragma once

#include "net/run_awaitable.hpp"
