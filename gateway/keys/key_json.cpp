// The JSON of DESIGN.md section 8.
#include "keys/key_json.hpp"

#include "keys/key_service.hpp"

#include <boost/json.hpp>

namespace gw {

namespace {

namespace json = boost::json;

json::value text_or_null(const std::optional<std::string>& text)
{
    return text ? json::value(*text) : json::value(nullptr);
}

json::value time_or_null(const std::optional<WallTime>& when)
{
    return when ? json::value(to_rfc3339(*when)) : json::value(nullptr);
}

json::array strings(const std::vector<std::string>& list)
{
    json::array out;
    for (const auto& item : list)
        out.emplace_back(item);
    return out;
}

// "60/m", "5/10s": as in the configuration.
std::string rate_text(const LimitPolicy& limit)
{
    using namespace std::chrono;
    const auto count = std::to_string(limit.rate_count) + "/";
    if (limit.rate_period == seconds{1})
        return count + "s";
    if (limit.rate_period == minutes{1})
        return count + "m";
    if (limit.rate_period == hours{1})
        return count + "h";
    if (limit.rate_period % seconds{1} == Duration{0})
        return count + std::to_string(limit.rate_period / seconds{1}) + "s";
    return count + std::to_string(limit.rate_period / milliseconds{1}) + "ms";
}

std::string quota_text(const LimitPolicy& limit)
{
    const auto count = std::to_string(limit.quota);
    switch (limit.quota_period) {
    case QuotaPeriod::hour: return count + "/h";
    case QuotaPeriod::day: return count + "/d";
    case QuotaPeriod::month: return count + "/mo";
    }
    return count;
}

std::string_view on_outage_text(OnOutage on_outage)
{
    switch (on_outage) {
    case OnOutage::open: return "open";
    case OnOutage::closed: return "closed";
    case OnOutage::local: break;
    }
    return "local";
}

json::value metadata_value(const std::string& text)
{
    boost::system::error_code ec;
    json::value value = json::parse(text, ec);
    return !ec && value.is_object() ? value : json::value(json::object{});
}

VersionStatus shown_version_status(const KeyRecord& record, const KeyVersion& version, WallTime now)
{
    if (version.status == VersionStatus::pending)
        return VersionStatus::pending;
    return record.status != KeyStatus::revoked && version.is_live(now) ? VersionStatus::live : VersionStatus::ended;
}

json::array versions_to_json(const KeyRecord& record, WallTime now)
{
    json::array out;
    for (const auto& version : record.versions)
        out.push_back(json::object{{"version", version.number},
                                   {"last4", version.last4},
                                   {"status", to_string(shown_version_status(record, version, now))},
                                   {"created_at", to_rfc3339(version.created_at)},
                                   {"ends_at", time_or_null(version.ends_at)},
                                   {"last_used_at", time_or_null(version.last_used_at)}});
    return out;
}

// Of the newest version that was ever handed out.
std::string shown_last4(const KeyRecord& record)
{
    for (auto it = record.versions.rbegin(); it != record.versions.rend(); ++it)
        if (it->status != VersionStatus::pending)
            return it->last4;
    return record.versions.empty() ? std::string{} : record.versions.back().last4;
}

json::object owner_to_json(const Owner& owner)
{
    return {{"type", owner.type}, {"id", owner.id.str()}, {"name", owner.name}};
}

} // namespace

json::object limit_to_json(const LimitPolicy& limit)
{
    json::object out{{"name", limit.name}, {"per", to_string(limit.per)}};
    if (limit.kind == LimitPolicy::Kind::bucket) {
        out["rate"] = rate_text(limit);
        out["burst"] = limit.burst;
    } else if (limit.kind == LimitPolicy::Kind::concurrency) {
        out["concurrency"] = limit.concurrency;
    } else {
        out["quota"] = quota_text(limit);
    }
    out["enforce"] = limit.enforce;
    out["on_outage"] = on_outage_text(limit.on_outage);
    if (limit.exact)
        out["exact"] = true;
    return out;
}

json::object settable_fields(const KeyRecord& record)
{
    json::array limits, networks;
    for (const auto& limit : record.limits)
        limits.push_back(limit_to_json(limit));
    for (const auto& network : record.allowed_ips)
        networks.emplace_back(network.str());
    return {{"name", record.name},
            {"tenant", record.tenant.str()},
            {"owner", owner_to_json(record.owner)},
            {"environment", to_string(record.environment)},
            {"scopes", strings(record.scopes)},
            {"plan", text_or_null(record.plan)},
            {"limits", std::move(limits)},
            {"allowed_ips", std::move(networks)},
            {"description", text_or_null(record.description)},
            {"metadata", metadata_value(record.metadata)},
            {"external_id", text_or_null(record.external_id)}};
}

std::string audit_difference(const KeyRecord& before, const KeyRecord& after)
{
    const auto all_of = [](const KeyRecord& record) {
        json::object fields = settable_fields(record);
        fields["status"] = to_string(record.status);
        fields["expires_at"] = time_or_null(record.expires_at);
        return fields;
    };
    const json::object old_fields = all_of(before);
    const json::object new_fields = all_of(after);
    json::object was, is;
    for (const auto& field : new_fields) {
        const json::value& old_value = old_fields.at(field.key());
        if (old_value == field.value())
            continue;
        was[field.key()] = old_value;
        is[field.key()] = field.value();
    }
    return json::serialize(json::object{{"before", std::move(was)}, {"after", std::move(is)}});
}

std::string audit_creation(const KeyRecord& created)
{
    json::object fields = settable_fields(created);
    fields["expires_at"] = time_or_null(created.expires_at);
    if (created.management)
        fields["management"] = true;
    return json::serialize(json::object{{"after", std::move(fields)}});
}

std::string_view shown_status(const KeyRecord& record, WallTime now) noexcept
{
    if (record.status == KeyStatus::revoked)
        return "revoked";
    if (record.is_expired(now)) // before disabled: enabling would not make it work
        return "expired";
    return record.status == KeyStatus::disabled ? "disabled" : "active";
}

std::string key_to_json(const KeyRecord& record, const KeyRules& rules, WallTime now, const Secret* key)
{
    json::object out{{"key_id", record.id.view()}};
    if (key)
        out["key"] = key->reveal();
    for (auto& field : settable_fields(record))
        out[field.key()] = std::move(field.value());
    out["status"] = shown_status(record, now);
    out["prefix"] = api_key_prefix(rules.brand, record.environment, record.id);
    out["last4"] = shown_last4(record);
    out["versions"] = versions_to_json(record, now);
    out["created_at"] = to_rfc3339(record.created_at);
    out["created_by"] = record.created_by;
    out["updated_at"] = to_rfc3339(record.updated_at);
    out["expires_at"] = time_or_null(record.expires_at);
    out["rotation_due_at"] = to_rfc3339(record.rotated_at + rules.rotate_after);
    out["last_used_at"] = time_or_null(record.last_used_at);
    out["last_used_ip"] = text_or_null(record.last_used_ip);
    out["revoked_at"] = time_or_null(record.revoked_at);
    out["revoked_reason"] = text_or_null(record.revoked_reason);
    out["etag"] = "\"" + std::to_string(record.record_version) + "\"";
    if (record.management)
        out["management"] = true;
    return json::serialize(out);
}

} // namespace gw
