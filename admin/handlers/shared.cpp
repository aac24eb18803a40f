// What several handlers share: the query, ids in paths, Idempotency-Key.
#include "admin/handlers/handlers.hpp"

#include <algorithm>

namespace gw::handlers {

namespace {

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// As HTML forms encode: %XX and '+'.
std::optional<std::string> decode(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
            return std::nullopt;
        out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
        i += 2;
    }
    return out;
}

ApiProblem bad_query(std::string_view name, std::string detail)
{
    FieldError error{"?" + std::string{name}, std::move(detail)};
    return ApiProblem{422, "invalid_fields", "Some query parameters are not valid; see errors.", {error}};
}

} // namespace

ApiResponse refuse(const ApiCall& call, const ApiProblem& problem)
{
    return problem_response(problem, call.path, call.request_id);
}

api_result<KeyId> key_in_path(const ApiCall& call)
{
    if (const auto id = KeyId::parse(call.arguments.front()))
        return *id;
    return ApiProblem{404, "not_found", "There is no such key."};
}

api_result<Query> read_query(const ApiCall& call, std::initializer_list<std::string_view> known)
{
    Query out;
    std::string_view rest = call.query;
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.empty())
            continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto name = decode(pair.substr(0, equals));
        const auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
        if (!name || !value)
            return bad_query(pair.substr(0, equals), "is not well percent-encoded");
        if (std::ranges::find(known, *name) == known.end())
            return bad_query(*name, "is not a known parameter");
        if (!out.emplace(*name, *value).second)
            return bad_query(*name, "is given twice");
    }
    return out;
}

api_result<std::optional<std::string>> repeat_identity(const ApiCall& call, std::string_view tenant,
                                                       std::string_view operation)
{
    if (call.request.count("Idempotency-Key") == 0)
        return std::optional<std::string>{};
    const auto field = call.request["Idempotency-Key"];
    const std::string key{field.data(), field.size()};
    const bool visible = std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
    if (key.empty() || key.size() > 255 || !visible || call.request.count("Idempotency-Key") > 1)
        return ApiProblem{400, "invalid_idempotency_key",
                          "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters."};
    std::string identity = call.caller.actor.type + ':' + call.caller.actor.id;
    identity.append("\n").append(tenant).append("\n").append(operation).append("\n").append(key);
    return std::optional<std::string>{std::move(identity)};
}

ApiProblem repeat_problem(Repeats::Status status)
{
    if (status == Repeats::Status::in_progress)
        return {409, "request_in_progress",
                "The first request with this Idempotency-Key is still being worked on."};
    return {422, "idempotency_key_reused", "This Idempotency-Key was used for a different request."};
}

} // namespace gw::handlers
