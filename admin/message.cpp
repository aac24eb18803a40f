// Problem documents, and the one mapping of key problems and store faults to a status.
#include "admin/message.hpp"

#include "domain/errors.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/json.hpp>

namespace gw {

namespace http = boost::beast::http;
namespace json = boost::json;

namespace {

struct Mapping {
    int status;
    const char* code;
    const char* detail;
};

Mapping mapping_of(KeyProblem::Kind kind) noexcept
{
    switch (kind) {
    case KeyProblem::Kind::invalid:
        return {422, "invalid_fields", "Some fields are not valid; see errors."};
    case KeyProblem::Kind::not_found:
        return {404, "not_found", "There is no such object."};
    case KeyProblem::Kind::conflict:
        return {409, "conflict", "The object's state does not allow this."};
    case KeyProblem::Kind::stale:
        return {412, "stale", "The key has changed since; read it again and use its new ETag."};
    case KeyProblem::Kind::forbidden:
        return {403, "forbidden", "You cannot grant what you do not hold."};
    case KeyProblem::Kind::unavailable:
        return {503, "unavailable", "A store is out of reach; nothing was changed. Try again."};
    }
    return {500, "internal_error", "Something went wrong."};
}

} // namespace

ApiProblem::ApiProblem(const KeyProblem& problem)
{
    const Mapping mapping = mapping_of(problem.kind);
    status = mapping.status;
    code = mapping.code;
    detail = problem.detail.empty() ? mapping.detail : problem.detail;
    errors = problem.fields;
    if (status == 503)
        fields.emplace_back("Retry-After", "1");
}

ApiProblem problem_of(boost::system::error_code fault)
{
    KeyProblem problem;
    problem.kind = KeyProblem::Kind::unavailable;
    if (fault == errc::not_found)
        problem.kind = KeyProblem::Kind::not_found;
    else if (fault == errc::conflict)
        problem.kind = KeyProblem::Kind::conflict;
    else if (fault == errc::invalid)
        problem.kind = KeyProblem::Kind::invalid;
    return ApiProblem{problem};
}

ApiResponse problem_response(const ApiProblem& problem, std::string_view instance,
                             std::string_view request_id)
{
    const auto title = http::obsolete_reason(static_cast<http::status>(problem.status));
    json::object document;
    document["type"] = "urn:portcullis:problem:" + problem.code;
    document["title"] = std::string_view{title.data(), title.size()};
    document["status"] = problem.status;
    document["detail"] = problem.detail;
    document["instance"] = instance.substr(0, 512);
    document["code"] = problem.code;
    document["request_id"] = request_id;
    if (!problem.errors.empty()) {
        json::array errors;
        for (const FieldError& error : problem.errors) {
            json::object entry;
            entry["pointer"] = error.pointer;
            entry["detail"] = error.detail;
            errors.push_back(std::move(entry));
        }
        document["errors"] = std::move(errors);
    }
    ApiResponse response{problem.status, json::serialize(document), "application/problem+json"};
    response.fields = problem.fields;
    return response;
}

} // namespace gw
