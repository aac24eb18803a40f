// /metrics, /livez, /readyz: open to everybody who reaches the listener.
#include "admin/handlers/handlers.hpp"
#include "observe/metrics.hpp"

#include <boost/json.hpp>

namespace gw::handlers {

namespace json = boost::json;

awaitable<ApiResponse> metrics(ApiCall& call)
{
    co_return ApiResponse{200, call.services.metrics.prometheus(),
                          "text/plain; version=0.0.4; charset=utf-8"};
}

awaitable<ApiResponse> livez(ApiCall&)
{
    co_return ApiResponse{200, R"({"status":"ok"})"};
}

awaitable<ApiResponse> readyz(ApiCall& call)
{
    const Readiness readiness = call.services.readiness();
    json::object body;
    body["status"] = readiness.ready ? "ready" : "not_ready";
    json::array reasons;
    for (const std::string& reason : readiness.reasons)
        reasons.emplace_back(reason);
    body["reasons"] = std::move(reasons);
    co_return ApiResponse{readiness.ready ? 200 : 503, json::serialize(body)};
}

} // namespace gw::handlers
