// How the key service says no, in one place, so that the same circumstance always reads the same.
#pragma once

#include "keys/key_service.hpp"

namespace gw {

// Of a store's or the vault's fault. Nothing but `unavailable` is ever made of one.
KeyProblem problem_of(const error_code& fault);
KeyProblem field_problem(std::string pointer, std::string detail);
KeyProblem not_found();
KeyProblem conflict(std::string detail);
KeyProblem stale();

} // namespace gw
