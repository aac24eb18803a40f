// Reading about keys: the list with its filters, one key's usage and its events.
#include "admin/handlers/handlers.hpp"
#include "admin/json.hpp"
#include "ports/audit_log.hpp"
#include "ports/usage_store.hpp"

#include <boost/json.hpp>

#include <charconv>

namespace gw::handlers {

namespace json = boost::json;

namespace {

const std::string* find(const Query& query, std::string_view name)
{
    const auto found = query.find(name);
    return found == query.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> to_number(const std::string& text)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

// Collects what is wrong with a query's values.
class QueryErrors {
public:
    void add(std::string_view name, std::string detail)
    {
        FieldError error{"?" + std::string{name}, std::move(detail)};
        errors_.push_back(std::move(error));
    }
    std::optional<ApiProblem> problem() const
    {
        if (errors_.empty())
            return std::nullopt;
        return ApiProblem{422, "invalid_fields", "Some query parameters are not valid; see errors.", errors_};
    }

private:
    std::vector<FieldError> errors_;
};

std::size_t read_limit(const Query& query, std::size_t otherwise, QueryErrors& errors)
{
    const std::string* text = find(query, "limit");
    if (!text)
        return otherwise;
    const auto limit = to_number(*text);
    if (limit && *limit >= 1 && *limit <= 100)
        return *limit;
    errors.add("limit", "must be 1 to 100");
    return otherwise;
}

void read_status(const std::string& text, KeyQuery& out, QueryErrors& errors)
{
    if (text == "active")
        out.status = KeyStatus::active;
    else if (text == "disabled")
        out.status = KeyStatus::disabled;
    else if (text == "revoked")
        out.status = KeyStatus::revoked;
    else
        errors.add("status", "must be active, disabled or revoked");
}

void read_sort(const std::string& text, KeyQuery& out, QueryErrors& errors)
{
    if (text == "-created_at")
        out.sort = KeyQuery::Sort::created_desc;
    else if (text == "created_at")
        out.sort = KeyQuery::Sort::created_asc;
    else if (text == "name")
        out.sort = KeyQuery::Sort::name_asc;
    else if (text == "-name")
        out.sort = KeyQuery::Sort::name_desc;
    else
        errors.add("sort", "must be created_at, -created_at, name or -name");
}

api_result<KeyQuery> read_key_query(const Query& query)
{
    KeyQuery out;
    QueryErrors errors;
    if (const auto* text = find(query, "tenant")) {
        out.tenant = TenantId::parse(*text);
        if (!out.tenant)
            errors.add("tenant", "must be 1 to 32 characters of a-z 0-9 -");
    }
    if (const auto* text = find(query, "status"))
        read_status(*text, out, errors);
    if (const auto* text = find(query, "env")) {
        out.environment = parse_environment(*text);
        if (!out.environment)
            errors.add("env", "must be live or test");
    }
    if (const auto* text = find(query, "owner"))
        out.owner = *text;
    if (const auto* text = find(query, "q"))
        out.text = *text;
    if (const auto* text = find(query, "sort"))
        read_sort(*text, out, errors);
    if (const auto* text = find(query, "cursor"))
        out.cursor = *text;
    out.limit = read_limit(query, out.limit, errors);
    if (const auto problem = errors.problem())
        return *problem;
    return out;
}

json::object counts_to_json(const UsageCounts& counts)
{
    json::object out;
    out["requests"] = counts.requests;
    out["status_4xx"] = counts.status_4xx;
    out["status_5xx"] = counts.status_5xx;
    out["status_401"] = counts.status_401;
    out["status_403"] = counts.status_403;
    out["status_429"] = counts.status_429;
    out["bytes_in"] = counts.bytes_in;
    out["bytes_out"] = counts.bytes_out;
    return out;
}

std::string usage_to_json(const std::vector<UsageRow>& rows)
{
    UsageCounts total;
    json::array data;
    for (const UsageRow& row : rows) {
        total.add(row.counts);
        json::object entry = counts_to_json(row.counts);
        entry["minute"] = to_rfc3339(row.minute);
        entry["version"] = row.version;
        entry["route"] = row.route;
        data.push_back(std::move(entry));
    }
    json::object out;
    out["data"] = std::move(data);
    out["total"] = counts_to_json(total);
    return json::serialize(out);
}

// `from` and `until` of the query; the last 24 hours if absent.
api_result<UsageQuery> read_usage_query(const Query& query, WallTime now)
{
    UsageQuery out;
    QueryErrors errors;
    out.from = now - std::chrono::hours{24};
    out.until = now + std::chrono::minutes{1};
    for (const char* name : {"from", "until"}) {
        const auto* text = find(query, name);
        if (!text)
            continue;
        const auto when = parse_rfc3339(*text);
        if (!when)
            errors.add(name, "must be an RFC 3339 time, for example 2026-11-22T08:00:00Z");
        else
            (std::string_view{name} == "from" ? out.from : out.until) = *when;
    }
    if (out.until < out.from || out.until - out.from > std::chrono::days{31})
        errors.add("until", "must be at most 31 days after from");
    if (const auto problem = errors.problem())
        return *problem;
    return out;
}

} // namespace

awaitable<ApiResponse> list_keys(ApiCall& call)
{
    const auto query = read_query(call, {"tenant", "status", "env", "owner", "q", "sort", "limit", "cursor"});
    if (!query)
        co_return refuse(call, query.error());
    auto wanted = read_key_query(*query);
    if (!wanted)
        co_return refuse(call, wanted.error());
    if (call.caller.tenant) {
        if (wanted->tenant && *wanted->tenant != *call.caller.tenant)
            co_return ApiResponse{200, list_to_json({}, std::nullopt)};
        wanted->tenant = call.caller.tenant;
    }
    const auto page = co_await call.services.keys.list(std::move(*wanted));
    if (!page)
        co_return refuse(call, ApiProblem{page.error()});
    std::vector<std::string> members;
    for (const KeyRecord& key : page->keys)
        members.push_back(key_to_json(key, call.services.keys.rules(), call.services.now()));
    co_return ApiResponse{200, list_to_json(members, page->next_cursor)};
}

awaitable<ApiResponse> key_usage(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    const auto query = read_query(call, {"from", "until"});
    if (!query)
        co_return refuse(call, query.error());
    auto wanted = read_usage_query(*query, call.services.now());
    if (!wanted)
        co_return refuse(call, wanted.error());
    const auto key = co_await call.services.keys.get(*id, call.caller.tenant);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    wanted->key = *id;
    const auto rows = co_await call.services.usage.read(*wanted);
    if (!rows)
        co_return refuse(call, problem_of(rows.error()));
    co_return ApiResponse{200, usage_to_json(*rows)};
}

awaitable<ApiResponse> key_events(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    const auto query = read_query(call, {"limit", "cursor"});
    if (!query)
        co_return refuse(call, query.error());
    QueryErrors errors;
    AuditQuery wanted;
    wanted.target = id->str();
    wanted.limit = read_limit(*query, 25, errors) + 1; // one more tells whether there are more
    if (const auto* cursor = find(*query, "cursor")) {
        wanted.before = to_number(*cursor).value_or(0);
        if (wanted.before == 0)
            errors.add("cursor", "is not a cursor of this list");
    }
    if (const auto problem = errors.problem())
        co_return refuse(call, *problem);
    const auto key = co_await call.services.keys.get(*id, call.caller.tenant);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    auto entries = co_await call.services.audit.list(wanted);
    if (!entries)
        co_return refuse(call, problem_of(entries.error()));
    std::optional<std::string> next;
    if (entries->size() == wanted.limit) {
        entries->pop_back();
        next = std::to_string(entries->back().sequence);
    }
    std::vector<std::string> members;
    for (const AuditEntry& entry : *entries)
        members.push_back(audit_to_json(entry));
    co_return ApiResponse{200, list_to_json(members, next)};
}

} // namespace gw::handlers
