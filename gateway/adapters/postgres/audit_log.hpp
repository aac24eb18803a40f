// The audit log in PostgreSQL. The table refuses to change or delete an entry.
#pragma once

#include "adapters/postgres/database.hpp"
#include "ports/audit_log.hpp"

#include <functional>

namespace gw::postgres {

class AuditLog final : public gw::AuditLog {
public:
    // `database` must outlive the log.
    explicit AuditLog(Database& database, std::function<WallTime()> clock = wall_now);

    awaitable<result<std::vector<AuditEntry>>> list(const AuditQuery& query) override;
    // An entry without a time gets the clock's.
    awaitable<result<void>> append(const AuditEntry& entry) override;

private:
    Database& database_;
    std::function<WallTime()> clock_;
};

} // namespace gw::postgres
