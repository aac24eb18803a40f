// BodyObject, and the check for duplicate members that Boost.JSON's own parser does not make.
#include "admin/json.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <charconv>
#include <set>

namespace gw {

namespace json = boost::json;

namespace {

constexpr std::size_t k_max_depth = 16;

// Looks at the names of each object as they come; keeps nothing else.
struct DuplicateCheck {
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);

    using View = json::string_view;
    using Error = json::error_code;

    std::vector<std::set<std::string>> objects;
    std::string name;                 // of the member being read
    std::optional<std::string> twice; // the first duplicate

    bool on_document_begin(Error&) { return true; }
    bool on_document_end(Error&) { return true; }
    bool on_array_begin(Error&) { return true; }
    bool on_array_end(std::size_t, Error&) { return true; }
    bool on_object_begin(Error&) { return objects.emplace_back(), true; }
    bool on_object_end(std::size_t, Error&) { return objects.pop_back(), true; }
    bool on_string_part(View, std::size_t, Error&) { return true; }
    bool on_string(View, std::size_t, Error&) { return true; }
    bool on_key_part(View part, std::size_t, Error&) { return name.append(part.data(), part.size()), true; }
    bool on_key(View part, std::size_t, Error&)
    {
        name.append(part.data(), part.size());
        if (!objects.back().insert(name).second && !twice)
            twice = name;
        name.clear();
        return true;
    }
    bool on_number_part(View, Error&) { return true; }
    bool on_int64(std::int64_t, View, Error&) { return true; }
    bool on_uint64(std::uint64_t, View, Error&) { return true; }
    bool on_double(double, View, Error&) { return true; }
    bool on_bool(bool, Error&) { return true; }
    bool on_null(Error&) { return true; }
    bool on_comment_part(View, Error&) { return true; }
    bool on_comment(View, Error&) { return true; }
};

std::optional<std::string> first_duplicate(std::string_view text)
{
    json::parse_options options;
    options.max_depth = k_max_depth;
    json::basic_parser<DuplicateCheck> parser{options};
    json::error_code malformed;
    parser.write_some(false, text.data(), text.size(), malformed);
    return parser.handler().twice;
}

std::string pointer_to(const std::string& base, std::string_view name)
{
    std::string out = base + '/';
    for (const char c : name) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

std::string str(const json::string& text)
{
    return {text.data(), text.size()};
}

} // namespace

api_result<BodyObject> BodyObject::parse(std::string_view text, bool may_be_empty)
{
    if (text.empty() && may_be_empty)
        return BodyObject{json::object{}, ""};
    json::parse_options options;
    options.max_depth = k_max_depth;
    json::error_code malformed;
    json::value value = json::parse(text, malformed, {}, options);
    if (malformed)
        return ApiProblem{400, "malformed_json", "The body is not JSON: " + malformed.message() + "."};
    if (const auto name = first_duplicate(text))
        return ApiProblem{400, "duplicate_member",
                          "The member \"" + *name + "\" appears twice in one object."};
    if (!value.is_object())
        return ApiProblem{400, "malformed_json", "The body must be a JSON object."};
    return BodyObject{std::move(value.as_object()), ""};
}

const json::value* BodyObject::take(std::string_view name)
{
    known_.emplace_back(name);
    return object_.if_contains(name);
}

void BodyObject::complain(std::string_view name, std::string detail)
{
    FieldError error{name.empty() ? pointer_ : pointer_to(pointer_, name), std::move(detail)};
    errors_.push_back(std::move(error));
}

void BodyObject::require(std::string_view name)
{
    if (!has(name))
        complain(name, "is required");
}

std::optional<std::string> BodyObject::text(std::string_view name)
{
    const json::value* value = take(name);
    if (!value)
        return std::nullopt;
    if (!value->is_string()) {
        complain(name, "must be a string");
        return std::nullopt;
    }
    return str(value->as_string());
}

std::optional<bool> BodyObject::boolean(std::string_view name)
{
    const json::value* value = take(name);
    if (!value)
        return std::nullopt;
    if (!value->is_bool()) {
        complain(name, "must be true or false");
        return std::nullopt;
    }
    return value->as_bool();
}

std::optional<std::uint64_t> BodyObject::number(std::string_view name)
{
    const json::value* value = take(name);
    if (!value)
        return std::nullopt;
    json::error_code out_of_range;
    const auto number = value->to_number<std::uint64_t>(out_of_range);
    if (out_of_range) {
        complain(name, "must be a whole number, 0 or more");
        return std::nullopt;
    }
    return number;
}

std::optional<std::vector<std::string>> BodyObject::texts(std::string_view name)
{
    const json::value* value = take(name);
    if (!value)
        return std::nullopt;
    if (!value->is_array()) {
        complain(name, "must be an array of strings");
        return std::nullopt;
    }
    std::vector<std::string> out;
    for (std::size_t i = 0; i < value->as_array().size(); ++i) {
        const json::value& member = value->as_array()[i];
        if (member.is_string()) {
            out.push_back(str(member.as_string()));
            continue;
        }
        FieldError error{pointer_to(pointer_to(pointer_, name), std::to_string(i)), "must be a string"};
        errors_.push_back(std::move(error));
    }
    return out;
}

std::optional<std::optional<std::string>> BodyObject::nullable_text(std::string_view name)
{
    const json::value* value = take(name);
    if (!value)
        return std::nullopt;
    if (value->is_null())
        return std::optional<std::string>{};
    if (!value->is_string()) {
        complain(name, "must be a string or null");
        return std::nullopt;
    }
    return std::optional<std::string>{str(value->as_string())};
}

std::optional<BodyObject> BodyObject::object(std::string_view name)
{
    const json::value* value = take(name);
    if (!value)
        return std::nullopt;
    if (!value->is_object()) {
        complain(name, "must be an object");
        return std::nullopt;
    }
    return BodyObject{value->as_object(), pointer_to(pointer_, name)};
}

std::optional<std::vector<BodyObject>> BodyObject::objects(std::string_view name)
{
    const json::value* value = take(name);
    if (!value)
        return std::nullopt;
    const bool fits = value->is_array() && std::ranges::all_of(value->as_array(), [](const json::value& v) {
                          return v.is_object();
                      });
    if (!fits) {
        complain(name, "must be an array of objects");
        return std::nullopt;
    }
    std::vector<BodyObject> out;
    for (const json::value& member : value->as_array())
        out.emplace_back(member.as_object(),
                         pointer_to(pointer_to(pointer_, name), std::to_string(out.size())));
    return out;
}

void BodyObject::note_unknown()
{
    for (const auto& member : object_) {
        const std::string_view name{member.key().data(), member.key().size()};
        if (std::ranges::find(known_, name) == known_.end())
            complain(name, "is not a known field");
    }
}

void BodyObject::absorb(BodyObject& nested)
{
    nested.note_unknown();
    errors_.insert(errors_.end(), nested.errors_.begin(), nested.errors_.end());
}

std::optional<ApiProblem> BodyObject::finish()
{
    note_unknown();
    if (errors_.empty())
        return std::nullopt;
    return ApiProblem{422, "invalid_fields", "Some fields are not valid; see errors.", errors_};
}

std::optional<std::chrono::seconds> parse_time_span(std::string_view text)
{
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end + 1 != text.data() + text.size())
        return std::nullopt;
    switch (*end) {
    case 's':
        return std::chrono::seconds{count};
    case 'm':
        return std::chrono::minutes{count};
    case 'h':
        return std::chrono::hours{count};
    case 'd':
        return std::chrono::days{count};
    default:
        return std::nullopt;
    }
}

} // namespace gw
