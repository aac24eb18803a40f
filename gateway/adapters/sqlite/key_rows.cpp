#include "adapters/sqlite/key_rows.hpp"

#include "adapters/sql/record_codec.hpp"

namespace gw::sqlite {

using namespace sql;

namespace {

std::optional<std::string> optional_text(const Statement& row, int column)
{
    if (row.is_null(column))
        return std::nullopt;
    return std::string{row.text(column)};
}

std::optional<WallTime> optional_time(const Statement& row, int column)
{
    if (row.is_null(column))
        return std::nullopt;
    return decode_time(row.integer(column));
}

void save_versions(Connection& connection, const KeyRecord& record)
{
    for (const auto& version : record.versions)
        connection
            .prepare("INSERT INTO key_versions (key_id, number, last4, status, created_at, ends_at)"
                     " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key_id, number)"
                     " DO UPDATE SET status = excluded.status, ends_at = excluded.ends_at")
            .bind(record.id.view(), version.number, version.last4, to_string(version.status),
                  version.created_at, version.ends_at)
            .run();
}

} // namespace

const std::string_view k_key_columns = "k.key_id, k.tenant, k.owner_type, k.owner_id, k.owner_name, k.name, "
                                       "k.environment, k.scopes, k.plan, k.limits, "
                                       "k.allowed_ips, k.description, k.metadata, k.external_id, k.status, "
                                       "k.created_at, k.created_by, k.updated_at, "
                                       "k.rotated_at, k.expires_at, k.revoked_at, k.revoked_reason, "
                                       "k.management, k.record_version, t.suspended, t.plan";

KeyRecord read_key(const Statement& row)
{
    const auto owner = OwnerId::parse(row.text(3));
    if (!owner)
        throw_corrupt("owner", row.text(3));
    KeyRecord record;
    record.id = decode_key_id(row.text(0));
    record.tenant = decode_tenant_id(row.text(1));
    record.owner = Owner{std::string{row.text(2)}, *owner, std::string{row.text(4)}};
    record.name = row.text(5);
    record.environment = decode_environment(row.text(6));
    record.scopes = decode_scopes(row.text(7));
    record.plan = optional_text(row, 8);
    record.limits = decode_limits(row.text(9));
    record.allowed_ips = decode_networks(row.text(10));
    record.description = optional_text(row, 11);
    record.metadata = row.text(12);
    record.external_id = optional_text(row, 13);
    record.status = decode_key_status(row.text(14));
    record.created_at = decode_time(row.integer(15));
    record.created_by = row.text(16);
    record.updated_at = decode_time(row.integer(17));
    record.rotated_at = decode_time(row.integer(18));
    record.expires_at = optional_time(row, 19);
    record.revoked_at = optional_time(row, 20);
    record.revoked_reason = optional_text(row, 21);
    record.management = row.integer(22) != 0;
    record.record_version = row.unsigned_integer(23);
    record.tenant_suspended = row.integer(24) != 0;
    record.tenant_plan = optional_text(row, 25);
    return record;
}

void read_versions(Connection& connection, KeyRecord& record)
{
    auto rows = connection.prepare("SELECT number, last4, status, created_at, ends_at FROM key_versions"
                                   " WHERE key_id = ? ORDER BY number");
    rows.bind(record.id.view());
    while (rows.step()) {
        KeyVersion version;
        version.number = static_cast<std::uint32_t>(rows.integer(0));
        version.last4 = rows.text(1);
        version.status = decode_version_status(rows.text(2));
        version.created_at = decode_time(rows.integer(3));
        version.ends_at = optional_time(rows, 4);
        record.versions.push_back(std::move(version));
    }
}

std::optional<KeyRecord> find_key(Connection& connection, const KeyId& id)
{
    static const std::string sql =
        "SELECT " + std::string{k_key_columns} +
        " FROM keys AS k LEFT JOIN tenants AS t ON t.id = k.tenant WHERE k.key_id = ?";
    auto row = connection.prepare(sql);
    row.bind(id.view());
    if (!row.step())
        return std::nullopt;
    KeyRecord record = read_key(row);
    read_versions(connection, record);
    return record;
}

void insert_key(Connection& connection, const KeyRecord& record)
{
    const std::string scopes = encode_scopes(record.scopes), limits = encode_limits(record.limits),
                      networks = encode_networks(record.allowed_ips), name_key = to_lower_ascii(record.name),
                      search = search_text(record);
    connection
        .prepare(
            "INSERT INTO keys (key_id, tenant, owner_type, owner_id, owner_name, name, environment, scopes, "
            "plan,"
            " limits, allowed_ips, description, metadata, external_id, status, created_at, created_by, "
            "updated_at,"
            " rotated_at, expires_at, revoked_at, revoked_reason, management, record_version, next_version,"
            " name_key, search_text)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(record.id.view(), record.tenant.str(), record.owner.type, record.owner.id.str(),
              record.owner.name, record.name, to_string(record.environment), scopes, record.plan, limits,
              networks, record.description, record.metadata, record.external_id, to_string(record.status),
              record.created_at, record.created_by, record.updated_at, record.rotated_at, record.expires_at,
              record.revoked_at, record.revoked_reason, record.management, record.record_version,
              record.versions.back().number + 1, name_key, search)
        .run();
    save_versions(connection, record);
}

void save_key(Connection& connection, const KeyRecord& record)
{
    const std::string scopes = encode_scopes(record.scopes), limits = encode_limits(record.limits),
                      networks = encode_networks(record.allowed_ips), name_key = to_lower_ascii(record.name),
                      search = search_text(record);
    connection
        .prepare(
            "UPDATE keys SET name = ?, scopes = ?, plan = ?, limits = ?, allowed_ips = ?, description = ?,"
            " metadata = ?, external_id = ?, status = ?, updated_at = ?, rotated_at = ?, expires_at = ?,"
            " revoked_at = ?, revoked_reason = ?, record_version = ?, name_key = ?, search_text = ?"
            " WHERE key_id = ?")
        .bind(record.name, scopes, record.plan, limits, networks, record.description, record.metadata,
              record.external_id, to_string(record.status), record.updated_at, record.rotated_at,
              record.expires_at, record.revoked_at, record.revoked_reason, record.record_version, name_key,
              search, record.id.view())
        .run();
    save_versions(connection, record);
}

bool is_external_id_taken(Connection& connection, const KeyRecord& by)
{
    auto row =
        connection.prepare("SELECT 1 FROM keys WHERE tenant = ? AND external_id = ? AND status <> 'revoked'"
                           " AND key_id <> ?");
    row.bind(by.tenant.str(), by.external_id, by.id.view());
    return row.step();
}

} // namespace gw::sqlite
