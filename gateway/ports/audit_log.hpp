// Reads the audit log, and takes events that accompany no change (a failed sign-in, a refused start).
// Changes write their entry through the store that makes them, in the same transaction.
#pragma once

#include "domain/errors.hpp"
#include "domain/key_record.hpp"
#include "net/asio.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gw {

struct AuditQuery {
    std::optional<std::string> tenant; // empty: all
    std::optional<std::string> target; // a key_id, a tenant id
    std::optional<std::string> action;
    std::uint64_t before = UINT64_MAX; // entries with a smaller sequence, newest first
    std::size_t limit = 100;
};

class AuditLog {
public:
    virtual ~AuditLog() = default;

    virtual awaitable<result<std::vector<AuditEntry>>> list(const AuditQuery& query) = 0;
    virtual awaitable<result<void>> append(const AuditEntry& entry) = 0;
};

} // namespace gw
