// See credential_text.hpp.
#include "request/credential_text.hpp"

#include "domain/api_key.hpp"

#include <cstring>

namespace gw {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equal_without_case(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

// "Bearer <token>": RFC 6750 section 2.1; the scheme in any case, one or more spaces. Empty if another scheme.
std::string_view bearer_token(std::string_view value) noexcept
{
    if (value.size() < 8 || !equal_without_case(value.substr(0, 7), "bearer "))
        return {};
    const std::size_t start = value.find_first_not_of(' ', 7);
    return start == std::string_view::npos ? std::string_view{} : value.substr(start);
}

struct NamedValue {
    std::string_view value;
    std::size_t begin = 0, end = 0; // of the whole "name=value" in the list
    int count = 0;
};

// `name` in a list such as "a=1&b=2" or "a=1; b=2".
NamedValue find_in_list(std::string_view list, char separator, std::string_view name) noexcept
{
    NamedValue found;
    for (std::size_t at = 0; at <= list.size();) {
        std::size_t end = list.find(separator, at);
        if (end == std::string_view::npos)
            end = list.size();
        std::size_t begin = at;
        while (begin < end && list[begin] == ' ')
            ++begin;
        const std::string_view item = list.substr(begin, end - begin);
        if (item.size() > name.size() && item.substr(0, name.size()) == name && item[name.size()] == '=') {
            ++found.count;
            found.value = item.substr(name.size() + 1);
            found.begin = begin;
            found.end = end;
        }
        at = end + 1;
    }
    return found;
}

// The list without [begin, end) and one separator beside it, written into the scratch.
std::string_view without(std::string_view list, const NamedValue& item, RequestMemory& memory) noexcept
{
    std::string_view before = list.substr(0, item.begin), after = list.substr(item.end);
    if (!after.empty())
        after.remove_prefix(1);
    while (after.empty() && !before.empty() && (before.back() == ' ' || before.back() == ';' || before.back() == '&'))
        before.remove_suffix(1);
    while (before.empty() && !after.empty() && after.front() == ' ')
        after.remove_prefix(1);
    const std::span<char> out = memory.free_scratch();
    if (before.size() + after.size() > out.size())
        return {};
    std::memcpy(out.data(), before.data(), before.size());
    std::memcpy(out.data() + before.size(), after.data(), after.size());
    memory.scratch_used += before.size() + after.size();
    return {out.data(), before.size() + after.size()};
}

class Search {
public:
    Search(Exchange& x, RequestMemory& memory, std::string_view brand) noexcept
        : x_(x), memory_(memory), brand_(brand)
    {
    }

    void in_fields(const CredentialField& source)
    {
        const bool bearer = source.kind == CredentialField::Kind::bearer;
        int seen = 0;
        for (http1::Field& field : x_.head.fields) {
            const bool matches = bearer ? field.id == http1::FieldName::authorization
                                        : equal_without_case(field.name, source.name);
            if (!matches)
                continue;
            if (++seen > 1)
                found_.ambiguous = true;
            const std::string_view text = bearer ? bearer_token(field.value) : field.value;
            if (!text.empty())
                offer(text, &field, bearer && !has_api_key_shape(text, brand_));
        }
    }

    void in_query(const CredentialField& source)
    {
        const NamedValue item = find_in_list(x_.target.query, '&', source.name);
        if (item.count == 0)
            return;
        if (item.count > 1)
            found_.ambiguous = true;
        offer(item.value, nullptr, false);
        if (x_.route->strip_credentials) {
            x_.target.query = without(x_.target.query, item, memory_);
            x_.target.has_query = !x_.target.query.empty();
        }
    }

    void in_cookie(const CredentialField& source)
    {
        for (http1::Field& field : x_.head.fields) {
            if (field.id != http1::FieldName::cookie)
                continue;
            const NamedValue item = find_in_list(field.value, ';', source.name);
            if (item.count == 0)
                continue;
            if (item.count > 1)
                found_.ambiguous = true;
            offer(item.value, &field, false);
            x_.stripped_value = without(field.value, item, memory_);
        }
    }

    FoundCredential result() const noexcept { return found_; }

private:
    // A foreign bearer token gives way to any other credential.
    void offer(std::string_view text, http1::Field* field, bool foreign) noexcept
    {
        if (found_.text.empty() || (found_is_foreign_ && !foreign)) {
            found_.text = text;
            found_.field = field;
            found_is_foreign_ = foreign;
        } else if (!foreign) {
            found_.ambiguous = true;
        }
    }

    Exchange& x_;
    RequestMemory& memory_;
    std::string_view brand_;
    FoundCredential found_;
    bool found_is_foreign_ = false;
};

} // namespace

FoundCredential find_credential(Exchange& x, RequestMemory& memory, std::string_view brand)
{
    Search search{x, memory, brand};
    for (const CredentialField& source : x.route->credentials) {
        switch (source.kind) {
        case CredentialField::Kind::bearer:
        case CredentialField::Kind::header:
            search.in_fields(source);
            break;
        case CredentialField::Kind::query:
            search.in_query(source);
            break;
        case CredentialField::Kind::cookie:
            search.in_cookie(source);
            break;
        }
    }
    FoundCredential found = search.result();
    // A foreign token where no key is needed is the upstream's own.
    const bool foreign = !found.text.empty() && !has_api_key_shape(found.text, brand);
    if (foreign && found.field != nullptr && x.route->auth != RouteAuth::required &&
        found.field->id == http1::FieldName::authorization)
        found = {};
    return found;
}

} // namespace gw
