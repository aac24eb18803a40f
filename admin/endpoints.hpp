// The admin listener's answers: the one table of endpoints, and the way of a request through it: route,
// authenticate, scope, content type, handler. No sockets in here.
//
// Used on one thread (the control io_context).
#pragma once

#include "admin/management_auth.hpp"
#include "admin/message.hpp"
#include "admin/repeats.hpp"
#include "domain/time.hpp"
#include "keys/propagation.hpp"

#include <boost/beast/http/verb.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

class TenantStore;
class AuditLog;
class UsageStore;
struct Metrics;

// Whether this node should get traffic, and if not, why ("draining", "change feed out of reach").
struct Readiness {
    bool ready = true;
    std::vector<std::string> reasons;
};

// What the endpoints may use. All references must outlive the server.
struct AdminServices {
    KeyService& keys;
    TenantStore& tenants;
    AuditLog& audit;
    UsageStore& usage;
    Metrics& metrics;
    std::function<Readiness()> readiness;
    // How far what was committed has come over the fleet, after waiting a moment for it; may be empty.
    std::function<awaitable<Propagation>(bool management)> propagation = {};
    std::function<WallTime()> now = wall_now;
};

// One request on its way through the table.
struct ApiCall {
    const ApiRequest& request;
    AdminServices& services;
    Repeats& repeats;
    std::string_view path, query;
    std::vector<std::string> arguments; // what stood for {key_id} in the path
    ApiCaller caller;
    std::string request_id;
    Address client;
};

struct Endpoint {
    boost::beast::http::verb method;
    std::string_view path;  // "{}" stands for one segment
    std::string_view scope; // empty: open to everybody who reaches the listener
    awaitable<ApiResponse> (*handler)(ApiCall& call);
    bool has_body = false;      // then Content-Type must be JSON
    bool operator_only = false; // of the platform: never for a key of one tenant
};

std::span<const Endpoint> endpoints();

class AdminApi {
public:
    // `with_api` false: only /metrics, /livez and /readyz (a gateway-only node).
    AdminApi(AdminServices services, ManagementAuth auth, bool with_api);

    // Never throws: what escapes a handler is logged and becomes 500.
    awaitable<ApiResponse> answer(const ApiRequest& request, Address client, std::string request_id);

private:
    awaitable<ApiResponse> dispatch(ApiCall& call);

    AdminServices services_;
    ManagementAuth auth_;
    Repeats repeats_;
    bool with_api_;
};

} // namespace gw
