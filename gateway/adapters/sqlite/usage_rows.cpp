#include "adapters/sqlite/usage_rows.hpp"

#include "adapters/sql/record_codec.hpp"

namespace gw::sqlite {

using namespace sql;

namespace {

// LEB128: the buckets of a quiet minute take a byte each.
std::string encode_histogram(const std::array<std::uint32_t, UsageCounts::k_latency_buckets>& buckets)
{
    std::string bytes;
    for (std::uint32_t bucket : buckets) {
        for (; bucket >= 0x80; bucket >>= 7)
            bytes += static_cast<char>(0x80 | (bucket & 0x7f));
        bytes += static_cast<char>(bucket);
    }
    return bytes;
}

std::array<std::uint32_t, UsageCounts::k_latency_buckets> decode_histogram(std::string_view bytes)
{
    std::array<std::uint32_t, UsageCounts::k_latency_buckets> buckets{};
    std::size_t at = 0;
    for (auto& bucket : buckets) {
        std::uint64_t value = 0;
        unsigned char byte = 0x80;
        for (unsigned shift = 0; byte & 0x80; shift += 7) {
            if (at == bytes.size() || shift > 28)
                throw_corrupt("latency histogram", "");
            byte = static_cast<unsigned char>(bytes[at++]);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        }
        bucket = static_cast<std::uint32_t>(value);
    }
    return buckets;
}

std::string_view key_text(const UsageRow& row)
{
    return row.key ? row.key->view() : std::string_view{};
}

} // namespace

const std::string_view k_usage_columns =
    "minute, tenant, key_id, version, route, requests, status_4xx, status_5xx, "
    "status_401, status_403, status_429, bytes_in, bytes_out, latency_us_sum, "
    "latency";

UsageRow read_usage(const Statement& row)
{
    UsageRow usage;
    usage.minute = decode_time(row.integer(0));
    usage.tenant = row.text(1);
    if (!row.text(2).empty())
        usage.key = decode_key_id(row.text(2));
    usage.version = static_cast<std::uint32_t>(row.integer(3));
    usage.route = row.text(4);
    std::uint64_t UsageCounts::*const fields[] = {
        &UsageCounts::requests,   &UsageCounts::status_4xx, &UsageCounts::status_5xx,
        &UsageCounts::status_401, &UsageCounts::status_403, &UsageCounts::status_429,
        &UsageCounts::bytes_in,   &UsageCounts::bytes_out,  &UsageCounts::latency_us_sum};
    int column = 5;
    for (const auto field : fields)
        usage.counts.*field = row.unsigned_integer(column++);
    usage.counts.latency = decode_histogram(row.blob(column));
    return usage;
}

void add_usage(Connection& connection, const UsageRow& row)
{
    static const std::string select = "SELECT " + std::string{k_usage_columns} +
                                      " FROM usage_minutes WHERE minute = ? AND tenant = ? AND key_id = ?"
                                      " AND version = ? AND route = ?";
    static const std::string replace = "INSERT OR REPLACE INTO usage_minutes (" +
                                       std::string{k_usage_columns} +
                                       ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    UsageCounts sum = row.counts;
    {
        auto stored = connection.prepare(select);
        stored.bind(row.minute, row.tenant, key_text(row), row.version, row.route);
        if (stored.step())
            sum.add(read_usage(stored).counts);
    }
    const std::string latency = encode_histogram(sum.latency);
    connection.prepare(replace)
        .bind(row.minute, row.tenant, key_text(row), row.version, row.route, sum.requests, sum.status_4xx,
              sum.status_5xx, sum.status_401, sum.status_403, sum.status_429, sum.bytes_in, sum.bytes_out,
              sum.latency_us_sum,
              std::span{reinterpret_cast<const unsigned char*>(latency.data()), latency.size()})
        .run();
}

} // namespace gw::sqlite
