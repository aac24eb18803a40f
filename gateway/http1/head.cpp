#include "http1/head.hpp"

namespace gw::http1 {

int status_of(HeadError error) noexcept
{
    switch (error) {
    case HeadError::none:
        return 200;
    case HeadError::malformed:
    case HeadError::ambiguous_framing:
    case HeadError::bad_host:
        return 400;
    case HeadError::head_too_large:
    case HeadError::too_many_fields:
        return 431;
    case HeadError::target_too_long:
        return 414;
    case HeadError::unknown_method:
    case HeadError::unknown_transfer_coding:
        return 501;
    case HeadError::unsupported_version:
        return 505;
    case HeadError::unknown_expectation:
        return 417;
    }
    return 400;
}

} // namespace gw::http1
