#include "adapters/sqlite/last_uses.hpp"

#include "adapters/sql/record_codec.hpp"

namespace gw::sqlite {

using namespace sql;

void fill_last_uses(Connection& usage, std::span<KeyRecord> records)
{
    for (auto& record : records) {
        auto rows = usage.prepare("SELECT version, at, address FROM last_uses WHERE key_id = ?");
        rows.bind(record.id.view());
        while (rows.step()) {
            const WallTime at = decode_time(rows.integer(1));
            for (auto& version : record.versions)
                if (version.number == rows.unsigned_integer(0))
                    version.last_used_at = at;
            if (record.last_used_at && *record.last_used_at >= at)
                continue;
            record.last_used_at = at;
            record.last_used_ip = std::string{rows.text(2)};
        }
    }
}

void write_last_use(Connection& usage, const LastUse& use)
{
    const std::string address = use.address.str();
    usage
        .prepare("INSERT INTO last_uses (key_id, version, at, address) VALUES (?, ?, ?, ?)"
                 " ON CONFLICT (key_id, version) DO UPDATE SET at = excluded.at, address = excluded.address"
                 " WHERE excluded.at > last_uses.at")
        .bind(use.key.view(), use.version, use.at, address)
        .run();
}

} // namespace gw::sqlite
