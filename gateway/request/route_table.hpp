// The routes, compiled: host, then path segment by segment, then method. Immutable after compile; shared by
// all workers of a snapshot. Matching allocates nothing.
#pragma once

#include "domain/limit_policy.hpp"
#include "domain/network.hpp"
#include "domain/scope.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http1/head.hpp"
#include "domain/api_key.hpp"

namespace gw {

// A limit of a route or a plan, with its identity and the fixed part of its header entry.
struct CompiledPolicy {
    LimitPolicy policy;
    Identity128 id;
    std::string policy_item; // `"burst";q=20;w=20` of RateLimit-Policy; empty for shadow policies
};
CompiledPolicy compile_policy(const LimitPolicy& policy, std::string_view declared_in, std::string_view declared_id);

enum class RouteAuth : std::uint8_t { required, optional, none };

struct CredentialField {
    enum class Kind : std::uint8_t { bearer, header, query, cookie } kind = Kind::bearer;
    std::string name;
};

struct Route {
    std::uint32_t index = 0; // dense, for counters
    std::string id;
    RouteAuth auth = RouteAuth::required;
    std::vector<std::string> scopes, any_scope;
    std::vector<Environment> environments;
    std::vector<std::string> tenants;
    std::vector<CompiledPolicy> limits;
    std::uint64_t cost = 1;
    std::vector<CredentialField> credentials;
    bool strip_credentials = true;
    std::uint64_t body_bytes = 0; // limit
    std::uint32_t upstream = 0;   // index into the snapshot's upstreams
    std::string host, path;       // as declared, for explain and messages
    std::vector<http1::Method> methods;
    std::vector<std::string> method_names;
};

struct RouteMatch {
    const Route* route = nullptr;       // the winner
    const std::string* allow = nullptr; // set, with no route: the path matched, the method did not (405)
};

class RouteTable {
public:
    RouteTable();
    ~RouteTable();
    RouteTable(RouteTable&&) noexcept;
    RouteTable& operator=(RouteTable&&) noexcept;

    // Problems (ties, shadowed routes) are settings/validate's to report; here a tie throws std::logic_error.
    static RouteTable compile(std::vector<Route> routes);

    // `host` without port, any case; `path` normalised. HEAD is served by a GET route unless one declares HEAD.
    RouteMatch match(std::string_view host, std::string_view path, http1::Method method,
                     std::string_view method_text) const noexcept;
    std::span<const Route> routes() const noexcept;

private:
    struct Nodes;
    std::unique_ptr<Nodes> nodes_;
};

} // namespace gw
