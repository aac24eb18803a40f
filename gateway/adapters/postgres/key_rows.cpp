#include "adapters/postgres/key_rows.hpp"

#include "adapters/sql/record_codec.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace gw::postgres {

using namespace sql;

namespace {

namespace json = boost::json;

std::optional<WallTime> optional_time(const Row& row, int column)
{
    if (row.is_null(column))
        return std::nullopt;
    return decode_time(row.integer(column));
}

std::string_view view_of(const json::value& value)
{
    const auto& text = value.as_string();
    return {text.data(), text.size()};
}

// One of [number, last4, status, created_at, ends_at, last_used_at, last_used_ip].
void read_version(const json::array& row, KeyRecord& record)
{
    const auto time = [&row](std::size_t column) -> std::optional<WallTime> {
        if (row.at(column).is_null())
            return std::nullopt;
        return decode_time(row.at(column).to_number<std::int64_t>());
    };
    KeyVersion version;
    version.number = row.at(0).to_number<std::uint32_t>();
    version.last4 = view_of(row.at(1));
    version.status = decode_version_status(view_of(row.at(2)));
    version.created_at = time(3).value_or(WallTime{});
    version.ends_at = time(4);
    version.last_used_at = time(5);
    if (version.last_used_at && (!record.last_used_at || *record.last_used_at < *version.last_used_at)) {
        record.last_used_at = version.last_used_at;
        record.last_used_ip = std::string{view_of(row.at(6))};
    }
    record.versions.push_back(std::move(version));
}

void read_versions(std::string_view text, KeyRecord& record)
{
    if (text.empty())
        return;
    try {
        const json::value rows = json::parse(json::string_view{text.data(), text.size()});
        for (const auto& row : rows.as_array())
            read_version(row.as_array(), record);
    } catch (const StoreError&) {
        throw;
    } catch (const std::exception&) { // not what the statement makes
        throw_corrupt("list of versions", text);
    }
}

// All in one statement: [[number, last4, status, created_at, ends_at], ...].
void save_versions(Connection& connection, const KeyRecord& record)
{
    const auto number_of = [](WallTime time) {
        return static_cast<std::int64_t>(time.time_since_epoch().count());
    };
    json::array rows;
    for (const auto& version : record.versions) {
        json::array row;
        row.emplace_back(version.number);
        row.emplace_back(version.last4);
        const std::string_view status = to_string(version.status);
        row.emplace_back(json::string_view{status.data(), status.size()});
        row.emplace_back(number_of(version.created_at));
        row.emplace_back(version.ends_at ? json::value(number_of(*version.ends_at)) : json::value());
        rows.emplace_back(std::move(row));
    }
    connection.query(
        "INSERT INTO key_versions AS v (key_id, number, last4, status, created_at, ends_at)"
        " SELECT $1::text, (r->>0)::integer, r->>1, r->>2, (r->>3)::bigint, (r->>4)::bigint"
        " FROM json_array_elements($2::json) AS r"
        " ON CONFLICT (key_id, number) DO UPDATE SET status = excluded.status, ends_at = excluded.ends_at"
        " WHERE (v.status, v.ends_at) IS DISTINCT FROM (excluded.status, excluded.ends_at)",
        record.id.view(), json::serialize(rows));
}

} // namespace

const std::string_view k_key_columns =
    "k.key_id, k.tenant, k.owner_type, k.owner_id, k.owner_name, k.name, k.environment, k.scopes, k.plan, "
    "k.limits,"
    " k.allowed_ips, k.description, k.metadata, k.external_id, k.status, k.created_at, k.created_by, "
    "k.updated_at,"
    " k.rotated_at, k.expires_at, k.revoked_at, k.revoked_reason, k.management, k.record_version, "
    "t.suspended, t.plan,"
    " (SELECT json_agg(json_build_array(v.number, v.last4, v.status, v.created_at, v.ends_at, u.at, "
    "u.address)"
    " ORDER BY v.number) FROM key_versions AS v LEFT JOIN portcullis_usage.last_uses AS u"
    " ON u.key_id = v.key_id AND u.version = v.number WHERE v.key_id = k.key_id)";

std::optional<std::string> optional_text(const Row& row, int column)
{
    if (row.is_null(column))
        return std::nullopt;
    return std::string{row.text(column)};
}

KeyRecord read_key(const Row& row)
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
    record.management = row.boolean(22);
    record.record_version = row.unsigned_integer(23);
    record.tenant_suspended = row.boolean(24);
    record.tenant_plan = optional_text(row, 25);
    read_versions(row.text(26), record);
    return record;
}

std::optional<KeyRecord> find_key(Connection& connection, const KeyId& id)
{
    static const std::string sql =
        "SELECT " + std::string{k_key_columns} +
        " FROM keys AS k LEFT JOIN tenants AS t ON t.id = k.tenant WHERE k.key_id = $1";
    const auto rows = connection.query(sql, id.view());
    if (rows.empty())
        return std::nullopt;
    return read_key(rows[0]);
}

std::optional<KeyRecord> find_key_to_change(Connection& connection, const KeyId& id)
{
    // A statement of its own: after waiting for the lock, one that also joined would see the key as it is
    // now, and its versions as they were before.
    if (connection.query("SELECT 1 FROM keys WHERE key_id = $1 FOR UPDATE", id.view()).empty())
        return std::nullopt;
    return find_key(connection, id);
}

void insert_key(Connection& connection, const KeyRecord& record)
{
    connection.query(
        "INSERT INTO keys (key_id, tenant, owner_type, owner_id, owner_name, name, environment, scopes,"
        " plan, limits, allowed_ips, description, metadata, external_id, status, created_at, created_by,"
        " updated_at, rotated_at, expires_at, revoked_at, revoked_reason, management, record_version,"
        " next_version, name_key, search_text)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
        " $20, $21, $22, $23, $24, $25, $26, $27)",
        record.id.view(), record.tenant.str(), record.owner.type, record.owner.id.str(), record.owner.name,
        record.name, to_string(record.environment), encode_scopes(record.scopes), record.plan,
        encode_limits(record.limits), encode_networks(record.allowed_ips), record.description,
        record.metadata, record.external_id, to_string(record.status), record.created_at, record.created_by,
        record.updated_at, record.rotated_at, record.expires_at, record.revoked_at, record.revoked_reason,
        record.management, record.record_version, record.versions.back().number + 1,
        to_lower_ascii(record.name), search_text(record));
    save_versions(connection, record);
}

void save_key(Connection& connection, const KeyRecord& record)
{
    connection.query("UPDATE keys SET name = $2, scopes = $3, plan = $4, limits = $5, allowed_ips = $6,"
                     " description = $7, metadata = $8, external_id = $9, status = $10, updated_at = $11,"
                     " rotated_at = $12, expires_at = $13, revoked_at = $14, revoked_reason = $15,"
                     " record_version = $16, name_key = $17, search_text = $18 WHERE key_id = $1",
                     record.id.view(), record.name, encode_scopes(record.scopes), record.plan,
                     encode_limits(record.limits), encode_networks(record.allowed_ips), record.description,
                     record.metadata, record.external_id, to_string(record.status), record.updated_at,
                     record.rotated_at, record.expires_at, record.revoked_at, record.revoked_reason,
                     record.record_version, to_lower_ascii(record.name), search_text(record));
    save_versions(connection, record);
}

} // namespace gw::postgres
