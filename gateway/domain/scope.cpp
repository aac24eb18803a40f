// One rule, `reaches`, decides both what a key may do and what may be handed out.
#include "domain/scope.hpp"

#include <algorithm>
#include <optional>

namespace gw {
namespace {

constexpr std::string_view k_platform = "platform";

struct Halves {
    std::string_view resource, action;
};

std::optional<Halves> split(std::string_view text) noexcept
{
    const std::size_t colon = text.find(':');
    if (colon == text.npos)
        return std::nullopt;
    return Halves{text.substr(0, colon), text.substr(colon + 1)};
}

bool is_word(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 32 || text.front() < 'a' || text.front() > 'z')
        return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    });
}

// What follows `platform:`: an area, and perhaps one action in it.
bool is_platform_action(std::string_view text) noexcept
{
    const auto halves = split(text);
    return halves ? is_word(halves->resource) && is_word(halves->action) : is_word(text);
}

bool half_covers(std::string_view held, std::string_view wanted) noexcept
{
    return held == "*" || held == wanted;
}

// Does `held` reach all that `wanted`, a scope or a grant, reaches?
bool reaches(std::string_view held, std::string_view wanted) noexcept
{
    const auto h = split(held), w = split(wanted);
    if (!h || !w)
        return false;
    if (h->resource != k_platform && w->resource != k_platform)
        return half_covers(h->resource, w->resource) && half_covers(h->action, w->action);
    // platform: never by a wildcard; an area stands for every action in it.
    return is_valid_grant(held) && is_valid_grant(wanted) &&
           (held == wanted || (wanted.starts_with(held) && wanted[held.size()] == ':'));
}

} // namespace

bool is_valid_scope(std::string_view text) noexcept
{
    const auto halves = split(text);
    if (!halves)
        return false;
    if (halves->resource == k_platform)
        return is_platform_action(halves->action);
    return is_word(halves->resource) && is_word(halves->action);
}

bool is_valid_grant(std::string_view text) noexcept
{
    const auto halves = split(text);
    if (!halves)
        return false;
    if (halves->resource == k_platform)
        return is_platform_action(halves->action);
    return (halves->resource == "*" || is_word(halves->resource)) &&
           (halves->action == "*" || is_word(halves->action));
}

bool grants(std::string_view grant, std::string_view scope) noexcept
{
    return scope.find('*') == scope.npos && reaches(grant, scope);
}

bool any_grants(std::span<const std::string> grants, std::string_view scope) noexcept
{
    return std::any_of(grants.begin(), grants.end(),
                       [&](const std::string& grant) { return gw::grants(grant, scope); });
}

bool covers(std::span<const std::string> held, std::string_view wanted) noexcept
{
    return std::any_of(held.begin(), held.end(),
                       [&](const std::string& grant) { return reaches(grant, wanted); });
}

} // namespace gw
