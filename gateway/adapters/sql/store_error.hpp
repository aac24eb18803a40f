// What the SQL adapters throw inside of themselves; where a call enters the adapter it is caught, logged once
// and returned as errc.
#pragma once

#include "domain/errors.hpp"

#include <stdexcept>
#include <string>

namespace gw::sql {

// `code` says what the caller of the store is told, `what()` what the log says.
class StoreError : public std::runtime_error {
public:
    StoreError(errc code, const std::string& what) : std::runtime_error(what), code_(code) {}
    errc code() const noexcept { return code_; }

private:
    errc code_;
};

} // namespace gw::sql
