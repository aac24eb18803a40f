// Faults: something outside the process failed. An expected "no" is a Refusal or a status, never an errc.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace gw {

enum class errc {
    unavailable = 1, // no answer within the store's deadline, or no connection; the caller must refuse
    conflict,        // a version, a unique name or a check-and-set did not match; nothing was written
    not_found,       // the object that was to be changed does not exist
    corrupt,         // stored bytes do not decode or do not authenticate
    busy,            // a bounded queue is full; try again later
    invalid,         // the arguments can never succeed
    in_doubt,        // sent, and no answer within the deadline: it may or may not have been done
};

const boost::system::error_category& gateway_category() noexcept;

inline boost::system::error_code make_error_code(errc code) noexcept
{
    return {static_cast<int>(code), gateway_category()};
}

using boost::system::error_code;

template <class T>
using result = boost::system::result<T>;

} // namespace gw

template <>
struct boost::system::is_error_code_enum<gw::errc> : std::true_type {};
