// The names of statuses, as stored and shown.
#include "domain/key_record.hpp"

namespace gw {

std::string_view to_string(KeyStatus status) noexcept
{
    switch (status) {
    case KeyStatus::pending:
        return "pending";
    case KeyStatus::active:
        return "active";
    case KeyStatus::disabled:
        return "disabled";
    case KeyStatus::revoked:
        return "revoked";
    }
    return "";
}

std::string_view to_string(VersionStatus status) noexcept
{
    switch (status) {
    case VersionStatus::pending:
        return "pending";
    case VersionStatus::live:
        return "live";
    case VersionStatus::ended:
        return "ended";
    }
    return "";
}

} // namespace gw
