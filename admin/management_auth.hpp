// Who is calling the admin API: the bootstrap management key from the configuration, or a stored management
// key that carries platform: scopes. Data-path keys are nobody here.
#pragma once

#include "admin/message.hpp"
#include "domain/key_record.hpp"
#include "domain/network.hpp"
#include "domain/secret.hpp"
#include "keys/key_service.hpp"
#include "net/asio.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gw {

// An authenticated caller. `tenant`: the only one they see; empty for the operator, who sees all.
struct ApiCaller {
    Actor actor;
    std::optional<TenantId> tenant;
    bool is_operator = false;

    // `platform:keys` holds `platform:keys:read` too.
    bool may(std::string_view scope) const;
};

// Verifies a stored management key through the ladder: its record, or empty for every other credential. A problem if
// that cannot be told now (a store out of reach, too many attempts).
using VerifyManagementKey =
    std::function<awaitable<api_result<std::optional<KeyRecord>>>(std::string_view key, Address client)>;

class ManagementAuth {
public:
    // `bootstrap` may be empty: then only stored keys get in. `verify` may be empty: then only the bootstrap
    // key.
    ManagementAuth(Secret bootstrap, VerifyManagementKey verify);

    // The caller, or 401 (none, unknown: one answer) or 400 (two credentials).
    awaitable<api_result<ApiCaller>> authenticate(const ApiRequest& request, Address client,
                                                  std::string request_id) const;

private:
    bool is_bootstrap(std::string_view credential) const;

    std::optional<Sha256> bootstrap_; // of the key: equal lengths, whatever is presented
    VerifyManagementKey verify_;
};

} // namespace gw
