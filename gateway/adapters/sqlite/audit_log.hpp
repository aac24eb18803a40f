// The audit log in SQLite. The table refuses to change or delete an entry.
#pragma once

#include "adapters/sqlite/database.hpp"
#include "net/offload.hpp"
#include "ports/audit_log.hpp"

#include <functional>

namespace gw::sqlite {

class AuditLog final : public gw::AuditLog {
public:
    // `database` and `pool`, on which reads run, must outlive the log.
    AuditLog(Database& database, BlockingPool& pool, std::function<WallTime()> clock = wall_now);

    awaitable<result<std::vector<AuditEntry>>> list(const AuditQuery& query) override;
    // An entry without a time gets the clock's.
    awaitable<result<void>> append(const AuditEntry& entry) override;

private:
    Database& database_;
    BlockingPool& pool_;
    std::function<WallTime()> clock_;
};

} // namespace gw::sqlite
