// What the gateway would decide about a request, worked out by the stages of the data path themselves
// (target, route, authorize) without a socket and without charging anything.
#pragma once

#include "domain/key_record.hpp"
#include "request/refusal.hpp"
#include "settings/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw::cli {

struct ExplainedLimit {
    std::string declared_in; // "route orders-read", "plan free", "key 4fQz..."
    std::string name;
    std::string amount; // "60/m, burst 20" or "5000/d"
    std::string per;
    bool enforced = true;
};

struct Explanation {
    std::string method, path;
    std::string route, upstream; // empty: no route
    std::string route_path, route_host;
    std::string auth; // required, optional, none
    std::vector<std::string> scopes_needed, any_scope_needed, scopes_held, scopes_missing;
    std::vector<std::string> environments;
    std::vector<ExplainedLimit> limits;
    std::string allow; // of a 405
    Refusal refusal = Refusal::none;
    std::string reason; // a sentence

    bool admitted() const noexcept { return refusal == Refusal::none; }
};

// `caller`: the key that asks, its status included; empty: no key. `url`: absolute, or a path.
Explanation explain_request(const Settings& settings, const std::optional<KeyRecord>& caller,
                            const Address& client, std::string_view method, std::string_view url,
                            WallTime now);

} // namespace gw::cli
