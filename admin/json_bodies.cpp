// The bodies of the admin API: what each may hold, and how it becomes the struct that the key service or a
// store takes. Rules about values that depend on the configuration (scopes, plans) are the key service's.
#include "admin/json.hpp"

#include "domain/limit_policy.hpp"
#include "domain/network.hpp"
#include "domain/time.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace gw {

namespace json = boost::json;

namespace {

// "60/m", "100/s", "5/10s": a count, and the time it is for.
bool parse_rate(std::string_view text, LimitPolicy& policy)
{
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos)
        return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + slash, policy.rate_count);
    if (error != std::errc{} || end != text.data() + slash || policy.rate_count == 0)
        return false;
    std::string period{text.substr(slash + 1)};
    if (period.size() == 1)
        period.insert(0, 1, '1');
    const auto length = parse_time_span(period);
    if (!length || length->count() == 0)
        return false;
    policy.rate_period = *length;
    return true;
}

// "1000/h", "5000/d", "100000/mo".
bool parse_quota(std::string_view text, LimitPolicy& policy)
{
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos)
        return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + slash, policy.quota);
    if (error != std::errc{} || end != text.data() + slash || policy.quota == 0)
        return false;
    const std::string_view period = text.substr(slash + 1);
    policy.kind = LimitPolicy::Kind::quota;
    policy.quota_period = period == "h"   ? QuotaPeriod::hour
                          : period == "d" ? QuotaPeriod::day
                                          : QuotaPeriod::month;
    return period == "h" || period == "d" || period == "mo";
}

// The members that a key's own limits show too: a limit that was read can be sent back as it is.
void read_limit_options(BodyObject& body, LimitPolicy& policy)
{
    policy.enforce = body.boolean("enforce").value_or(true);
    policy.exact = body.boolean("exact").value_or(false);
    if (body.text("per").value_or("key") != "key")
        body.complain("per", "must be key: a key's own limits are counted per key");
    const std::string on_outage = body.text("on_outage").value_or("local");
    if (on_outage == "open")
        policy.on_outage = OnOutage::open;
    else if (on_outage == "closed")
        policy.on_outage = OnOutage::closed;
    else if (on_outage != "local")
        body.complain("on_outage", "must be local, open or closed");
}

LimitPolicy read_limit(BodyObject& body)
{
    LimitPolicy policy;
    body.require("name");
    policy.name = body.text("name").value_or("");
    read_limit_options(body, policy);
    const auto rate = body.text("rate"), quota = body.text("quota");
    const auto burst = body.number("burst"), concurrency = body.number("concurrency");
    if (body.has("rate") + body.has("quota") + body.has("concurrency") != 1)
        body.complain("", "needs exactly one of rate, quota and concurrency");
    if (concurrency && *concurrency == 0)
        body.complain("concurrency", "must be at least 1");
    if (burst && concurrency)
        body.complain("burst", "belongs to a rate, not to a concurrency");
    if (concurrency) {
        policy.kind = LimitPolicy::Kind::concurrency;
        policy.concurrency = *concurrency;
    }
    if (rate && !parse_rate(*rate, policy))
        body.complain("rate", "must be a count per time, for example 60/m, 100/s or 5/10s");
    if (quota && !parse_quota(*quota, policy))
        body.complain("quota", "must be a count per h, d or mo, for example 5000/d");
    if (burst && *burst == 0)
        body.complain("burst", "must be at least 1");
    if (burst && quota)
        body.complain("burst", "belongs to a rate, not to a quota");
    policy.burst = burst.value_or(policy.rate_count);
    return policy;
}

std::optional<std::vector<LimitPolicy>> read_limits(BodyObject& body)
{
    auto members = body.objects("limits");
    if (!members)
        return std::nullopt;
    std::vector<LimitPolicy> out;
    for (BodyObject& member : *members) {
        out.push_back(read_limit(member));
        body.absorb(member);
    }
    return out;
}

std::optional<std::vector<Network>> read_networks(BodyObject& body)
{
    const auto texts = body.texts("allowed_ips");
    if (!texts)
        return std::nullopt;
    std::vector<Network> out;
    for (std::size_t i = 0; i < texts->size(); ++i) {
        if (const auto network = Network::parse((*texts)[i]))
            out.push_back(*network);
        else
            body.complain("allowed_ips",
                          "'" + (*texts)[i] + "' is not an address or CIDR network without host bits");
    }
    return out;
}

std::optional<std::string> read_metadata(BodyObject& body)
{
    const auto object = body.object("metadata");
    if (!object)
        return std::nullopt;
    return json::serialize(object->raw());
}

std::optional<std::optional<WallTime>> read_time(BodyObject& body, std::string_view name)
{
    const auto text = body.nullable_text(name);
    if (!text)
        return std::nullopt;
    if (!*text)
        return std::optional<WallTime>{};
    const auto when = parse_rfc3339(**text);
    if (!when)
        body.complain(name, "must be an RFC 3339 time, for example 2026-11-22T08:00:00Z");
    return when;
}

void read_owner(BodyObject& body, Owner& owner)
{
    auto given = body.object("owner");
    if (!given)
        return;
    given->require("id");
    const std::string id = given->text("id").value_or("");
    owner.type = given->text("type").value_or("service");
    owner.name = given->text("name").value_or("");
    if (owner.type != "user" && owner.type != "service")
        given->complain("type", "must be user or service");
    if (const auto parsed = OwnerId::parse(id))
        owner.id = *parsed;
    else if (given->has("id"))
        given->complain("id", "must be 1 to 64 characters of A-Z a-z 0-9 . _ @ -");
    body.absorb(*given);
}

bool is_platform_scope(const std::string& scope)
{
    return scope.starts_with("platform:");
}

} // namespace

api_result<CreateKey> read_create_key(std::string_view text)
{
    auto parsed = BodyObject::parse(text);
    if (!parsed)
        return parsed.error();
    BodyObject& body = *parsed;
    CreateKey request;

    body.require("name");
    body.require("scopes");
    if (const auto tenant = body.text("tenant")) {
        if (const auto id = TenantId::parse(*tenant))
            request.tenant = *id;
        else
            body.complain("tenant", "must be 1 to 32 characters of a-z 0-9 -");
    }
    request.name = body.text("name").value_or("");
    read_owner(body, request.owner);
    if (const auto environment = body.text("environment")) {
        if (const auto known = parse_environment(*environment))
            request.environment = *known;
        else
            body.complain("environment", "must be live or test");
    }
    request.scopes = body.texts("scopes").value_or(std::vector<std::string>{});
    request.management = std::ranges::any_of(request.scopes, is_platform_scope);
    request.plan = body.nullable_text("plan").value_or(std::nullopt);
    request.limits = read_limits(body).value_or(std::vector<LimitPolicy>{});
    request.allowed_ips = read_networks(body).value_or(std::vector<Network>{});
    request.description = body.nullable_text("description").value_or(std::nullopt);
    request.metadata = read_metadata(body).value_or("{}");
    request.external_id = body.nullable_text("external_id").value_or(std::nullopt);
    request.expires_at = read_time(body, "expires_at").value_or(std::nullopt);

    if (const auto problem = body.finish())
        return *problem;
    return request;
}

api_result<KeyChanges> read_key_changes(std::string_view text)
{
    auto parsed = BodyObject::parse(text);
    if (!parsed)
        return parsed.error();
    BodyObject& body = *parsed;
    KeyChanges changes;

    changes.name = body.text("name");
    changes.scopes = body.texts("scopes");
    changes.plan = body.nullable_text("plan");
    changes.limits = read_limits(body);
    changes.allowed_ips = read_networks(body);
    changes.description = body.nullable_text("description");
    changes.metadata = read_metadata(body);
    changes.external_id = body.nullable_text("external_id");
    changes.expires_at = read_time(body, "expires_at");

    if (const auto problem = body.finish())
        return *problem;
    return changes;
}

api_result<std::chrono::seconds> read_overlap(std::string_view text)
{
    auto parsed = BodyObject::parse(text, true);
    if (!parsed)
        return parsed.error();
    BodyObject& body = *parsed;
    std::chrono::seconds overlap = std::chrono::hours{24};
    if (const auto given = body.text("overlap")) {
        const auto length = parse_time_span(*given);
        if (!length || *length > std::chrono::days{30})
            body.complain(
                "overlap",
                "must be a duration of at most 30d, for example 24h; 0s ends the old secret at once");
        overlap = length.value_or(overlap);
    }
    if (const auto problem = body.finish())
        return *problem;
    return overlap;
}

api_result<std::optional<std::string>> read_reason(std::string_view text)
{
    auto parsed = BodyObject::parse(text, true);
    if (!parsed)
        return parsed.error();
    std::optional<std::string> reason = parsed->nullable_text("reason").value_or(std::nullopt);
    if (reason && reason->size() > 500)
        parsed->complain("reason", "must be at most 500 bytes");
    if (const auto problem = parsed->finish())
        return *problem;
    return reason;
}

api_result<Tenant> read_tenant(std::string_view text)
{
    auto parsed = BodyObject::parse(text);
    if (!parsed)
        return parsed.error();
    BodyObject& body = *parsed;
    Tenant tenant;
    body.require("id");
    if (const auto given = body.text("id")) {
        if (const auto id = TenantId::parse(*given))
            tenant.id = *id;
        else
            body.complain("id", "must be 1 to 32 characters of a-z 0-9 -");
    }
    tenant.name = body.text("name").value_or(tenant.id.str());
    if (tenant.name.size() > 200 || (body.has("name") && tenant.name.empty()))
        body.complain("name", "must be 1 to 200 bytes");
    tenant.plan = body.nullable_text("plan").value_or(std::nullopt);
    if (const auto problem = body.finish())
        return *problem;
    return tenant;
}

std::string tenant_to_json(const Tenant& tenant)
{
    json::object out;
    out["id"] = tenant.id.str();
    out["name"] = tenant.name;
    out["plan"] = tenant.plan ? json::value(*tenant.plan) : json::value(nullptr);
    out["suspended"] = tenant.suspended;
    out["created_at"] = to_rfc3339(tenant.created_at);
    return json::serialize(out);
}

std::string audit_to_json(const AuditEntry& entry)
{
    json::error_code not_json;
    json::value details = json::parse(entry.details, not_json);
    json::object actor, target, out;
    actor["type"] = entry.actor_type;
    actor["id"] = entry.actor;
    target["type"] = entry.target_type;
    target["id"] = entry.target;
    out["sequence"] = entry.sequence;
    out["at"] = to_rfc3339(entry.at);
    out["action"] = entry.action;
    out["actor"] = std::move(actor);
    out["target"] = std::move(target);
    out["tenant"] = entry.tenant.empty() ? json::value(nullptr) : json::value(entry.tenant);
    out["details"] = not_json ? json::value(json::object{}) : std::move(details);
    out["address"] = entry.address;
    out["user_agent"] = entry.user_agent;
    out["request_id"] = entry.request_id;
    return json::serialize(out);
}

std::string list_to_json(const std::vector<std::string>& members,
                         const std::optional<std::string>& next_cursor)
{
    std::string out = "{\"data\":[";
    for (const std::string& member : members) {
        if (out.back() != '[')
            out += ',';
        out += member;
    }
    out += "],\"has_more\":";
    out += next_cursor ? "true" : "false";
    out += ",\"next_cursor\":";
    out += next_cursor ? json::serialize(json::value(*next_cursor)) : "null";
    out += '}';
    return out;
}

} // namespace gw
