// What an endpoint takes and gives: the request as Beast read it, a response as plain text, and the problem
// document (RFC 9457) that every "no" of the admin listener becomes.
#pragma once

#include "keys/key_service.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gw {

using ApiRequest = boost::beast::http::request<boost::beast::http::string_body>;

// The header fields that every answer carries (security, no-store, request id) are added by the server.
struct ApiResponse {
    ApiResponse() = default;
    ApiResponse(int status_, std::string body_, std::string type_ = "application/json")
        : status(status_), type(std::move(type_)), body(std::move(body_))
    {
    }

    int status = 200;
    std::string type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;
};

// Why a request was not done.
struct ApiProblem {
    ApiProblem() = default;
    ApiProblem(int status_, std::string code_, std::string detail_, std::vector<FieldError> errors_ = {})
        : status(status_), code(std::move(code_)), detail(std::move(detail_)), errors(std::move(errors_))
    {
    }
    // Of the key service: invalid 422, not_found 404, conflict 409, stale 412, forbidden 403, unavailable
    // 503.
    explicit ApiProblem(const KeyProblem& problem);

    int status = 500;
    std::string code; // stable: "invalid_fields"
    std::string detail;
    std::vector<FieldError> errors;
    std::vector<std::pair<std::string, std::string>> fields; // Allow, WWW-Authenticate, Retry-After
};

template <class T>
using api_result = boost::system::result<T, ApiProblem>;

// The problem as a document; `instance` is the request's path.
ApiResponse problem_response(const ApiProblem& problem, std::string_view instance,
                             std::string_view request_id);
// The same for a fault of a store.
ApiProblem problem_of(boost::system::error_code fault);

} // namespace gw
