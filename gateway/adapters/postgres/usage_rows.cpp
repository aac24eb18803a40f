#include "adapters/postgres/usage_rows.hpp"

#include "adapters/sql/record_codec.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

namespace gw::postgres {

using namespace sql;

namespace {

namespace json = boost::json;

constexpr std::uint64_t UsageCounts::*k_counts[] = {
    &UsageCounts::requests,   &UsageCounts::status_4xx, &UsageCounts::status_5xx,
    &UsageCounts::status_401, &UsageCounts::status_403, &UsageCounts::status_429,
    &UsageCounts::bytes_in,   &UsageCounts::bytes_out,  &UsageCounts::latency_us_sum};

std::string_view key_text(const UsageRow& row)
{
    return row.key ? row.key->view() : std::string_view{};
}

json::value text_of(std::string_view text)
{
    return json::value(json::string_view{text.data(), text.size()});
}

// "{1,2,3}": PostgreSQL's text for an array.
std::array<std::uint32_t, UsageCounts::k_latency_buckets> decode_buckets(std::string_view text)
{
    std::array<std::uint32_t, UsageCounts::k_latency_buckets> buckets{};
    const char *at = text.data(), *const end = text.data() + text.size();
    for (auto& bucket : buckets) {
        std::uint64_t value = 0;
        const auto [next, error] = at == end ? std::from_chars_result{at, std::errc::invalid_argument}
                                             : std::from_chars(at + 1, end, value);
        if (error != std::errc{})
            throw_corrupt("latency histogram", text);
        bucket = static_cast<std::uint32_t>(std::min<std::uint64_t>(value, UINT32_MAX));
        at = next;
    }
    return buckets;
}

// The rows of one statement must differ in their key; in that order, so that two nodes never wait for each
// other crosswise.
using Place = std::tuple<WallTime, std::string_view, std::string_view, std::uint32_t, std::string_view>;

std::map<Place, UsageCounts> merge(const std::vector<UsageRow>& rows)
{
    std::map<Place, UsageCounts> merged;
    for (const auto& row : rows)
        merged[{row.minute, row.tenant, key_text(row), row.version, row.route}].add(row.counts);
    return merged;
}

json::array to_json(const Place& place, const UsageCounts& counts)
{
    json::array out;
    out.emplace_back(static_cast<std::int64_t>(std::get<0>(place).time_since_epoch().count()));
    out.emplace_back(text_of(std::get<1>(place)));
    out.emplace_back(text_of(std::get<2>(place)));
    out.emplace_back(std::get<3>(place));
    out.emplace_back(text_of(std::get<4>(place)));
    for (const auto count : k_counts)
        out.emplace_back(std::min<std::uint64_t>(counts.*count, INT64_MAX));
    std::string buckets;
    for (const std::uint32_t bucket : counts.latency)
        buckets += (buckets.empty() ? "{" : ",") + std::to_string(bucket);
    out.emplace_back(text_of(buckets + "}"));
    return out;
}

} // namespace

const std::string_view k_usage_columns =
    "minute, tenant, key_id, version, route, requests, status_4xx, status_5xx, "
    "status_401, status_403, status_429, bytes_in, bytes_out, latency_us_sum, "
    "latency";

UsageRow read_usage(const Row& row)
{
    UsageRow usage;
    usage.minute = decode_time(row.integer(0));
    usage.tenant = row.text(1);
    if (!row.text(2).empty())
        usage.key = decode_key_id(row.text(2));
    usage.version = static_cast<std::uint32_t>(row.integer(3));
    usage.route = row.text(4);
    int column = 5;
    for (const auto count : k_counts)
        usage.counts.*count = row.unsigned_integer(column++);
    usage.counts.latency = decode_buckets(row.text(column));
    return usage;
}

void add_usage(Connection& connection, const std::vector<UsageRow>& rows)
{
    static const std::string sql =
        "INSERT INTO portcullis_usage.minutes AS m (" + std::string{k_usage_columns} +
        ") SELECT (r->>0)::bigint, r->>1, r->>2, (r->>3)::integer, r->>4, (r->>5)::bigint, (r->>6)::bigint,"
        " (r->>7)::bigint, (r->>8)::bigint, (r->>9)::bigint, (r->>10)::bigint, (r->>11)::bigint, "
        "(r->>12)::bigint,"
        " (r->>13)::bigint, (r->>14)::bigint[] FROM json_array_elements($1::json) AS r"
        " ON CONFLICT (minute, tenant, key_id, version, route) DO UPDATE SET"
        " requests = m.requests + excluded.requests, status_4xx = m.status_4xx + excluded.status_4xx,"
        " status_5xx = m.status_5xx + excluded.status_5xx, status_401 = m.status_401 + excluded.status_401,"
        " status_403 = m.status_403 + excluded.status_403, status_429 = m.status_429 + excluded.status_429,"
        " bytes_in = m.bytes_in + excluded.bytes_in, bytes_out = m.bytes_out + excluded.bytes_out,"
        " latency_us_sum = m.latency_us_sum + excluded.latency_us_sum,"
        " latency = ARRAY(SELECT a + b FROM unnest(m.latency, excluded.latency) WITH ORDINALITY AS pair(a, "
        "b, i)"
        " ORDER BY i)";
    if (rows.empty())
        return;
    json::array batch;
    for (const auto& [place, counts] : merge(rows))
        batch.emplace_back(to_json(place, counts));
    connection.query(sql, json::serialize(batch));
}

void add_last_uses(Connection& connection, const std::vector<LastUse>& uses)
{
    if (uses.empty())
        return;
    std::map<std::pair<std::string_view, std::uint32_t>, const LastUse*> latest;
    for (const auto& use : uses) {
        const LastUse*& known = latest[{use.key.view(), use.version}];
        if (known == nullptr || known->at < use.at)
            known = &use;
    }
    json::array batch;
    for (const auto& [key, use] : latest) {
        json::array row;
        row.emplace_back(text_of(key.first));
        row.emplace_back(key.second);
        row.emplace_back(static_cast<std::int64_t>(use->at.time_since_epoch().count()));
        row.emplace_back(use->address.str());
        batch.emplace_back(std::move(row));
    }
    connection.query(
        "INSERT INTO portcullis_usage.last_uses AS l (key_id, version, at, address)"
        " SELECT r->>0, (r->>1)::integer, (r->>2)::bigint, r->>3 FROM json_array_elements($1::json) AS r"
        " ON CONFLICT (key_id, version) DO UPDATE SET at = excluded.at, address = excluded.address"
        " WHERE excluded.at > l.at",
        json::serialize(batch));
}

std::int64_t day_of(WallTime minute) noexcept
{
    const auto day = std::chrono::floor<std::chrono::days>(minute);
    return std::chrono::duration_cast<std::chrono::milliseconds>(day.time_since_epoch()).count();
}

} // namespace gw::postgres
