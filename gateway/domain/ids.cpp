// The character sets of the ids. They are what keeps an id from escaping a path, a header or a query.
#include "domain/ids.hpp"

#include <algorithm>

namespace gw {
namespace {

bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

bool is_lower(char c) noexcept
{
    return c >= 'a' && c <= 'z';
}

bool is_alphanumeric(char c) noexcept
{
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

} // namespace

std::optional<KeyId> KeyId::parse(std::string_view text) noexcept
{
    if (text.size() != k_length || !std::all_of(text.begin(), text.end(), is_alphanumeric))
        return std::nullopt;
    KeyId id;
    std::copy(text.begin(), text.end(), id.text_.begin());
    return id;
}

std::optional<TenantId> TenantId::parse(std::string_view text)
{
    const auto is_allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
    if (text.empty() || text.size() > 32 || !std::all_of(text.begin(), text.end(), is_allowed))
        return std::nullopt;
    TenantId id;
    id.text_ = text;
    return id;
}

std::optional<OwnerId> OwnerId::parse(std::string_view text)
{
    const auto is_allowed = [](char c) {
        return is_alphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-';
    };
    if (text.empty() || text.size() > 64 || !std::all_of(text.begin(), text.end(), is_allowed))
        return std::nullopt;
    OwnerId id;
    id.text_ = text;
    return id;
}

} // namespace gw
