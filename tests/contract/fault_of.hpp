// What went wrong, as something that Catch can print: it cannot print a result of a type without `<<`.
#pragma once

#include "domain/errors.hpp"

namespace gw {

// No error if the call succeeded.
template <class T>
error_code fault_of(const result<T>& outcome)
{
    return outcome.has_value() ? error_code{} : outcome.error();
}

} // namespace gw
