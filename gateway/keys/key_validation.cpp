// One function a field; the two entry points at the end put them together.
#include "keys/key_validation.hpp"

#include "domain/scope.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cctype>

namespace gw {

namespace {

using Fields = std::vector<FieldError>;

constexpr std::size_t k_max_scopes = 64;
constexpr std::size_t k_max_networks = 50;
constexpr std::size_t k_max_limits = 8; // of 24 charges a request can make over all its policies
constexpr std::size_t k_max_metadata_bytes = 4096;

// Code points of well-formed UTF-8 without control characters; empty if it is neither.
std::optional<std::size_t> text_length(std::string_view text, bool allow_lines)
{
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++count) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
        if (size == 0 || i + size > text.size())
            return std::nullopt;
        const bool is_line_character = lead == '\n' || lead == '\t' || lead == '\r';
        if ((lead < 0x20 && !(allow_lines && is_line_character)) || lead == 0x7F)
            return std::nullopt;
        for (std::size_t k = 1; k < size; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80)
                return std::nullopt;
        const auto second = size > 1 ? static_cast<unsigned char>(text[i + 1]) : 0u;
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
            (lead == 0xF4 && second > 0x8F))
            return std::nullopt;
        i += size;
    }
    return count;
}

void check_text(Fields& out, const char* pointer, std::string_view text, std::size_t least, std::size_t most,
                bool allow_lines = false)
{
    const auto length = text_length(text, allow_lines);
    if (!length)
        out.push_back({pointer, "must be UTF-8 text without control characters"});
    else if (*length < least || *length > most)
        out.push_back({pointer, "must have " + std::to_string(least) + " to " + std::to_string(most) + " characters, has " +
                                    std::to_string(*length)});
}

bool is_platform(std::string_view scope)
{
    return scope == "platform" || scope.starts_with("platform:");
}

std::optional<std::string> scope_problem(const std::string& scope, bool management, const KeyRules& rules)
{
    if (management) {
        if (!is_platform(scope) || !is_valid_scope(scope))
            return "a management key carries explicit platform scopes only, such as platform:keys";
        return std::nullopt;
    }
    if (is_platform(scope))
        return "platform scopes are for management keys only";
    if (!is_valid_grant(scope))
        return "is not of the form resource:action, where either half may be *";
    const bool declared = std::any_of(rules.scopes.begin(), rules.scopes.end(),
                                      [&](const auto& known) { return grants(scope, known.first); });
    if (!declared)
        return "no scope of that name is declared in the configuration";
    return std::nullopt;
}

void check_scopes(Fields& out, const std::vector<std::string>& scopes, bool management, const KeyRules& rules)
{
    if (scopes.empty() || scopes.size() > k_max_scopes)
        out.push_back({"/scopes", "must list 1 to 64 scopes, lists " + std::to_string(scopes.size())});
    for (std::size_t i = 0; i < std::min(scopes.size(), k_max_scopes); ++i) {
        const std::string pointer = "/scopes/" + std::to_string(i);
        if (auto problem = scope_problem(scopes[i], management, rules))
            out.push_back({pointer, *problem});
        else if (std::find(scopes.begin(), scopes.begin() + static_cast<std::ptrdiff_t>(i), scopes[i]) !=
                 scopes.begin() + static_cast<std::ptrdiff_t>(i))
            out.push_back({pointer, "is listed twice"});
    }
}

void check_plan(Fields& out, const std::optional<std::string>& plan, const KeyRules& rules)
{
    if (plan && std::find(rules.plans.begin(), rules.plans.end(), *plan) == rules.plans.end())
        out.push_back({"/plan", "no plan of that name is declared in the configuration"});
}

bool is_policy_name(std::string_view name)
{
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

void check_limit(Fields& out, const std::string& pointer, const LimitPolicy& limit)
{
    if (!is_policy_name(limit.name))
        out.push_back({pointer + "/name", "must be 1 to 64 characters of a-z, 0-9, - and _"});
    if (limit.kind == LimitPolicy::Kind::concurrency) {
        if (limit.concurrency == 0)
            out.push_back({pointer + "/concurrency", "must be more than 0"});
        return;
    }
    if (limit.kind == LimitPolicy::Kind::quota) {
        if (limit.quota == 0)
            out.push_back({pointer + "/quota", "must be more than 0"});
        return;
    }
    if (limit.rate_count == 0 || limit.rate_period <= Duration{0})
        out.push_back({pointer + "/rate", "must be more than 0"});
    if (limit.burst == 0)
        out.push_back({pointer + "/burst", "must be more than 0"});
}

void check_limits(Fields& out, const std::vector<LimitPolicy>& limits)
{
    if (limits.size() > k_max_limits)
        out.push_back({"/limits", "must list at most 8 limits"});
    for (std::size_t i = 0; i < std::min(limits.size(), k_max_limits); ++i) {
        const std::string pointer = "/limits/" + std::to_string(i);
        check_limit(out, pointer, limits[i]);
        for (std::size_t k = 0; k < i; ++k)
            if (limits[k].name == limits[i].name) {
                out.push_back({pointer + "/name", "is the name of two limits"});
                break;
            }
    }
}

void check_networks(Fields& out, const std::vector<Network>& networks)
{
    if (networks.size() > k_max_networks)
        out.push_back({"/allowed_ips", "must list at most 50 addresses or networks"});
}

void check_metadata(Fields& out, const std::string& metadata)
{
    if (metadata.size() > k_max_metadata_bytes) {
        out.push_back({"/metadata", "must be at most 4096 bytes of JSON"});
        return;
    }
    boost::system::error_code ec;
    const auto value = boost::json::parse(metadata, ec);
    if (ec || !value.is_object())
        out.push_back({"/metadata", "must be a JSON object"});
}

void check_expiry(Fields& out, WallTime expires_at, std::optional<WallTime> latest, WallTime now)
{
    if (expires_at <= now)
        out.push_back({"/expires_at", "must be in the future"});
    else if (latest && expires_at > *latest)
        out.push_back({"/expires_at", "must not be later than " + to_rfc3339(*latest) + " (keys.max_age)"});
}

void check_owner(Fields& out, const Owner& owner)
{
    if (owner.type != "user" && owner.type != "service")
        out.push_back({"/owner/type", "must be user or service"});
    if (owner.id.str().empty())
        out.push_back({"/owner/id", "must be 1 to 64 characters of letters, digits and . _ @ -"});
    check_text(out, "/owner/name", owner.name, 0, 80);
}

KeyProblem invalid(Fields fields)
{
    KeyProblem problem;
    problem.kind = KeyProblem::Kind::invalid;
    problem.detail = fields.size() == 1 ? fields.front().pointer + ": " + fields.front().detail
                                        : std::to_string(fields.size()) + " fields are not valid";
    problem.fields = std::move(fields);
    return problem;
}

// No wildcard reaches `platform`, so the operator's "*:*" does not either: the operator holds it by being one.
bool may_grant(const Actor& who, const std::string& scope)
{
    if (is_platform(scope) && (who.type == "operator" || who.type == "system"))
        return true;
    return covers(who.grants, scope);
}

struct Grant {
    const std::vector<std::string>* scopes = nullptr; // what is handed out; null: unchanged
    const std::vector<std::string>* held = nullptr;   // what the key has already
    bool sets_plan = false, sets_limits = false;
};

std::optional<KeyProblem> check_grant(const Grant& grant, const Actor& who)
{
    Fields fields;
    for (std::size_t i = 0; grant.scopes && i < grant.scopes->size(); ++i) {
        const std::string& scope = (*grant.scopes)[i];
        if (!(grant.held && covers(*grant.held, scope)) && !may_grant(who, scope))
            fields.push_back({"/scopes/" + std::to_string(i), "you do not hold " + scope + " yourself"});
    }
    if (grant.sets_plan && !who.may_set_limits)
        fields.push_back({"/plan", "setting a plan needs the role admin"});
    if (grant.sets_limits && !who.may_set_limits)
        fields.push_back({"/limits", "setting limits needs the role admin"});
    if (fields.empty())
        return std::nullopt;
    KeyProblem problem = invalid(std::move(fields));
    problem.kind = KeyProblem::Kind::forbidden;
    problem.detail = problem.fields.front().detail;
    return problem;
}

void check_changed_texts(Fields& fields, const KeyChanges& changes)
{
    if (changes.name)
        check_text(fields, "/name", *changes.name, 1, 80);
    if (changes.description && *changes.description)
        check_text(fields, "/description", **changes.description, 0, 500, true);
    if (changes.external_id && *changes.external_id)
        check_text(fields, "/external_id", **changes.external_id, 1, 128);
    if (changes.metadata)
        check_metadata(fields, *changes.metadata);
}

} // namespace

std::optional<KeyProblem> check_create(const CreateKey& request, const KeyRules& rules, const Actor& who, WallTime now)
{
    Fields fields;
    if (request.tenant.str().empty())
        fields.push_back({"/tenant", "must name a tenant"});
    check_text(fields, "/name", request.name, 1, 80);
    check_owner(fields, request.owner);
    check_scopes(fields, request.scopes, request.management, rules);
    check_plan(fields, request.plan, rules);
    check_limits(fields, request.limits);
    check_networks(fields, request.allowed_ips);
    if (request.description)
        check_text(fields, "/description", *request.description, 0, 500, true);
    check_metadata(fields, request.metadata);
    if (request.external_id)
        check_text(fields, "/external_id", *request.external_id, 1, 128);
    std::optional<WallTime> latest;
    if (rules.max_age)
        latest = now + *rules.max_age;
    if (request.expires_at)
        check_expiry(fields, *request.expires_at, latest, now);
    if (!fields.empty())
        return invalid(std::move(fields));

    Grant grant;
    grant.scopes = &request.scopes;
    grant.sets_plan = request.plan.has_value();
    grant.sets_limits = !request.limits.empty();
    return check_grant(grant, who);
}

std::optional<KeyProblem> check_changes(const KeyChanges& changes, const KeyRecord& current, const KeyRules& rules,
                                        const Actor& who, WallTime now)
{
    Fields fields;
    check_changed_texts(fields, changes);
    if (changes.scopes)
        check_scopes(fields, *changes.scopes, current.management, rules);
    if (changes.plan)
        check_plan(fields, *changes.plan, rules);
    if (changes.limits)
        check_limits(fields, *changes.limits);
    if (changes.allowed_ips)
        check_networks(fields, *changes.allowed_ips);
    if (changes.expires_at && *changes.expires_at && *changes.expires_at != current.expires_at) {
        std::optional<WallTime> latest;
        if (rules.max_age)
            latest = current.rotated_at + *rules.max_age; // from the secret's age, or a change would extend it for ever
        check_expiry(fields, **changes.expires_at, latest, now);
    }
    if (changes.status && *changes.status != KeyStatus::active && *changes.status != KeyStatus::disabled)
        fields.push_back({"/status", "must be active or disabled"});
    if (!fields.empty())
        return invalid(std::move(fields));

    Grant grant;
    grant.scopes = changes.scopes ? &*changes.scopes : nullptr;
    grant.held = &current.scopes;
    grant.sets_plan = changes.plan && *changes.plan != current.plan;
    grant.sets_limits = changes.limits && *changes.limits != current.limits;
    return check_grant(grant, who);
}

std::optional<KeyProblem> check_reason(const std::optional<std::string>& reason)
{
    Fields fields;
    if (reason)
        check_text(fields, "/reason", *reason, 0, 500, true);
    if (fields.empty())
        return std::nullopt;
    return invalid(std::move(fields));
}

} // namespace gw
