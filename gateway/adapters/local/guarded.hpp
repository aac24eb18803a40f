// Runs blocking file work for a port: what it throws (no memory, no random numbers) ends here as a fault.
#pragma once

#include "domain/errors.hpp"
#include "observe/log.hpp"

#include <exception>
#include <type_traits>

namespace gw::local {

template <class Work>
std::invoke_result_t<Work&> guarded(Work work) noexcept
{
    try {
        return work();
    } catch (const std::exception& failure) {
        log(LogLevel::error, "sealed_files.failed", {{"cause", failure.what()}});
        return errc::unavailable;
    }
}

} // namespace gw::local
