// Reading limits. What one value says alone is checked here; how limits agree with each other and with their
// route is settings/validate's.
#include "settings/load_limits.hpp"

#include <algorithm>

namespace gw {
namespace {

constexpr std::uint64_t k_most_per_second = 1'000'000;
constexpr std::uint64_t k_most_burst = 1'000'000'000;
constexpr std::uint64_t k_most_concurrency = 1'000'000;
constexpr std::uint64_t k_most_quota = 1'000'000'000'000'000;

constexpr Choices<CountedPer, 5> k_per{{{"key", CountedPer::key},
                                        {"owner", CountedPer::owner},
                                        {"tenant", CountedPer::tenant},
                                        {"ip", CountedPer::ip},
                                        {"route", CountedPer::route}}};
constexpr Choices<OnOutage, 3> k_on_outage{
    {{"local", OnOutage::local}, {"open", OnOutage::open}, {"closed", OnOutage::closed}}};

bool is_policy_name(std::string_view name)
{
    return !name.empty() && name.size() <= 32 && name[0] >= 'a' && name[0] <= 'z' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
           });
}

std::optional<Rate> read_rate(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    const auto rate = parse_rate(text->value);
    const auto seconds_in = [](milliseconds period) { return static_cast<double>(period.count()) / 1000; };
    if (!rate)
        value.error(text->shown +
                    " is not a rate; write a count and its period, such as 100/s, 60/m or 5/10s" +
                    (parse_quota(text->value) ? "; a `quota` counts per calendar month" : ""));
    else if (rate->count == 0)
        value.error(text->shown + " admits nothing; the count must be at least 1");
    else if (static_cast<double>(rate->count) >
             static_cast<double>(k_most_per_second) * seconds_in(rate->period))
        value.error(text->shown + " is out of range: at most " + std::to_string(k_most_per_second) + "/s");
    else
        return rate;
    return std::nullopt;
}

std::optional<Quota> read_quota(const Value& value)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    const auto quota = parse_quota(text->value);
    if (!quota)
        value.error(text->shown +
                    " is not a quota; write a count and a calendar period, such as 10/h, 5000/d or 1000/mo" +
                    (parse_rate(text->value) ? "; shorter periods are a `rate`" : ""));
    else if (quota->count == 0 || quota->count > k_most_quota)
        value.error(text->shown + " is out of range: the count is from 1 to " + std::to_string(k_most_quota));
    else
        return quota;
    return std::nullopt;
}

void read_name(const Mapping& limit, LimitPolicy& policy)
{
    const auto value = limit.require("name", "name: burst");
    auto text = value ? read_text(*value) : std::nullopt;
    if (!text)
        return;
    if (is_policy_name(text->value))
        policy.name = std::move(text->value);
    else
        value->error(text->shown + " is not a name of a limit: [a-z][a-z0-9_-]{0,31}");
}

// Exactly one of `rate`, `quota` and `concurrency`; `burst` belongs to a rate.
void read_amount(const Mapping& limit, LimitPolicy& policy)
{
    const auto rate = limit.find("rate"), quota = limit.find("quota"), burst = limit.find("burst");
    const auto concurrency = limit.find("concurrency");
    if (rate && quota)
        quota->error("a limit has either a rate or a quota; make it two limits");
    else if (concurrency && (rate || quota))
        concurrency->error("a limit has either a rate, a quota or a concurrency; make it two limits");
    else if (!rate && !quota && !concurrency && limit.is_present())
        limit.value().error("needs a `rate` (such as 60/m), a `quota` (such as 5000/d) or a `concurrency` (such as 5)");

    if (concurrency && !rate && !quota) {
        policy.kind = LimitPolicy::Kind::concurrency;
        if (const auto read = read_number(*concurrency, 1, k_most_concurrency))
            policy.concurrency = *read;
        if (burst)
            burst->error("belongs to a `rate`; a concurrency has no burst");
        return;
    }
    if (quota && !rate) {
        policy.kind = LimitPolicy::Kind::quota;
        if (const auto read = read_quota(*quota)) {
            policy.quota = read->count;
            policy.quota_period = read->period;
        }
        if (burst)
            burst->error("belongs to a `rate`; a quota has no burst");
        return;
    }
    if (const auto read = rate ? read_rate(*rate) : std::nullopt) {
        policy.rate_count = read->count;
        policy.rate_period = read->period;
        policy.burst = std::min(read->count, k_most_burst);
    }
    if (const auto read = burst ? read_number(*burst, 1, k_most_burst) : std::nullopt)
        policy.burst = *read;
}

LimitPolicy read_limit(const Mapping& limit)
{
    LimitPolicy policy;
    read_name(limit, policy);
    read_amount(limit, policy);
    limit.choice("per", policy.per, k_per);
    limit.flag("enforce", policy.enforce);
    limit.choice("on_outage", policy.on_outage, k_on_outage);
    limit.flag("exact", policy.exact);
    return policy;
}

} // namespace

std::vector<LimitPolicy> read_limits(const Mapping& owner)
{
    std::vector<LimitPolicy> limits;
    if (const auto list = owner.find("limits"))
        for (const Value& item : read_list(*list).value_or(std::vector<Value>{}))
            limits.push_back(read_limit(Mapping{item}));
    return limits;
}

LimitPolicy bucket_of(std::string name, CountedPer per, std::uint64_t count, milliseconds period)
{
    LimitPolicy policy;
    policy.name = std::move(name);
    policy.per = per;
    policy.rate_count = count;
    policy.rate_period = period;
    policy.burst = count;
    return policy;
}

void read_bucket(const Mapping& owner, std::string_view key, LimitPolicy& policy)
{
    const auto value = owner.find(key);
    const auto rate = value ? read_rate(*value) : std::nullopt;
    if (rate)
        policy = bucket_of(policy.name, policy.per, rate->count, rate->period);
}

} // namespace gw
