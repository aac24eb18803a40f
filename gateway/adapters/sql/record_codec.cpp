#include "adapters/sql/record_codec.hpp"

#include "adapters/sql/store_error.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <array>

namespace gw::sql {

namespace {

namespace json = boost::json;

// The names of an enum's values, in the order of the values.
template <class Enum, std::size_t N>
struct Names {
    std::string_view what;
    std::array<std::string_view, N> names;

    json::string_view encode(Enum value) const
    {
        const auto name = names[static_cast<std::size_t>(value)];
        return {name.data(), name.size()};
    }
    Enum decode(std::string_view text) const
    {
        const auto found = std::find(names.begin(), names.end(), text);
        if (found == names.end())
            throw_corrupt(what, text);
        return static_cast<Enum>(found - names.begin());
    }
};

constexpr Names<LimitPolicy::Kind, 2> k_kinds{"kind of a limit", {"bucket", "quota"}};
constexpr Names<CountedPer, 5> k_per{"unit of a limit", {"key", "owner", "tenant", "ip", "route"}};
constexpr Names<QuotaPeriod, 3> k_periods{"period of a quota", {"hour", "day", "month"}};
constexpr Names<OnOutage, 3> k_outages{"outage rule", {"local", "open", "closed"}};
constexpr Names<KeyStatus, 4> k_key_statuses{"key status", {"pending", "active", "disabled", "revoked"}};
constexpr Names<VersionStatus, 3> k_version_statuses{"version status", {"pending", "live", "ended"}};

json::object encode_limit(const LimitPolicy& limit)
{
    json::object out;
    out["name"] = limit.name;
    out["kind"] = k_kinds.encode(limit.kind);
    out["per"] = k_per.encode(limit.per);
    out["rate_count"] = limit.rate_count;
    out["rate_period_ns"] = limit.rate_period.count();
    out["burst"] = limit.burst;
    out["quota"] = limit.quota;
    out["quota_period"] = k_periods.encode(limit.quota_period);
    out["enforce"] = limit.enforce;
    out["on_outage"] = k_outages.encode(limit.on_outage);
    out["exact"] = limit.exact;
    return out;
}

std::string_view text_at(const json::object& object, json::string_view name)
{
    const auto& text = object.at(name).as_string();
    return {text.data(), text.size()};
}

LimitPolicy decode_limit(const json::object& in)
{
    LimitPolicy limit;
    limit.name = text_at(in, "name");
    limit.kind = k_kinds.decode(text_at(in, "kind"));
    limit.per = k_per.decode(text_at(in, "per"));
    limit.rate_count = in.at("rate_count").to_number<std::uint64_t>();
    limit.rate_period = Duration{in.at("rate_period_ns").to_number<std::int64_t>()};
    limit.burst = in.at("burst").to_number<std::uint64_t>();
    limit.quota = in.at("quota").to_number<std::uint64_t>();
    limit.quota_period = k_periods.decode(text_at(in, "quota_period"));
    limit.enforce = in.at("enforce").as_bool();
    limit.on_outage = k_outages.decode(text_at(in, "on_outage"));
    limit.exact = in.at("exact").as_bool();
    return limit;
}

// Calls `decode` with each member of a JSON array.
template <class Decode>
auto decode_each(std::string_view what, std::string_view text, Decode decode)
{
    std::vector<std::invoke_result_t<Decode, const json::value&>> out;
    try {
        const json::value document = json::parse(json::string_view{text.data(), text.size()});
        for (const auto& member : document.as_array())
            out.push_back(decode(member));
    } catch (const StoreError&) {
        throw;
    } catch (const std::exception&) { // Boost.JSON's several: not JSON, another kind, a member missing
        throw_corrupt(what, text);
    }
    return out;
}

} // namespace

void throw_corrupt(std::string_view what, std::string_view text)
{
    throw StoreError{errc::corrupt, "not a " + std::string{what} + ": " + std::string{text.substr(0, 100)}};
}

std::string encode_scopes(const std::vector<std::string>& scopes)
{
    json::array out;
    for (const auto& scope : scopes)
        out.emplace_back(scope);
    return json::serialize(out);
}

std::string encode_limits(const std::vector<LimitPolicy>& limits)
{
    json::array out;
    for (const auto& limit : limits)
        out.emplace_back(encode_limit(limit));
    return json::serialize(out);
}

std::string encode_networks(const std::vector<Network>& networks)
{
    json::array out;
    for (const auto& network : networks)
        out.emplace_back(network.str());
    return json::serialize(out);
}

std::vector<std::string> decode_scopes(std::string_view text)
{
    return decode_each("list of scopes", text,
                       [](const json::value& scope) { return json::value_to<std::string>(scope); });
}

std::vector<LimitPolicy> decode_limits(std::string_view text)
{
    return decode_each("list of limits", text,
                       [](const json::value& limit) { return decode_limit(limit.as_object()); });
}

std::vector<Network> decode_networks(std::string_view text)
{
    return decode_each("list of networks", text, [](const json::value& network) {
        const auto& address = network.as_string();
        const auto parsed = Network::parse({address.data(), address.size()});
        if (!parsed)
            throw_corrupt("network", {address.data(), address.size()});
        return *parsed;
    });
}

KeyId decode_key_id(std::string_view text)
{
    const auto id = KeyId::parse(text);
    if (!id)
        throw_corrupt("key id", text);
    return *id;
}

TenantId decode_tenant_id(std::string_view text)
{
    const auto id = TenantId::parse(text);
    if (!id)
        throw_corrupt("tenant id", text);
    return *id;
}

Environment decode_environment(std::string_view text)
{
    const auto environment = parse_environment(text);
    if (!environment)
        throw_corrupt("environment", text);
    return *environment;
}

KeyStatus decode_key_status(std::string_view text)
{
    return k_key_statuses.decode(text);
}

VersionStatus decode_version_status(std::string_view text)
{
    return k_version_statuses.decode(text);
}

bool is_json_object(std::string_view text)
{
    json::error_code error;
    const json::value value = json::parse(json::string_view{text.data(), text.size()}, error);
    return !error && value.is_object();
}

WallTime decode_time(std::int64_t milliseconds)
{
    return WallTime{std::chrono::milliseconds{milliseconds}};
}

std::string search_text(const KeyRecord& record)
{
    std::string text = record.name + '\n' + record.id.str();
    for (const auto& version : record.versions)
        text += '\n' + version.last4;
    return to_lower_ascii(text);
}

std::string to_lower_ascii(std::string_view text)
{
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return out;
}

} // namespace gw::sql
