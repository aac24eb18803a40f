// What a command of the command line needs of the stores: opened beside a running `serve`, used on this thread.
#pragma once

#include "app/stores.hpp"
#include "keys/key_import.hpp"
#include "keys/key_service.hpp"
#include "keys/pepper_ring.hpp"
#include "net/run_awaitable.hpp"
#include "settings/settings.hpp"

namespace gw {

// What the configuration says about keys.
KeyRules key_rules(const Settings& settings);

class StoreSession {
public:
    // `hashers`: threads for bcrypt. Throws std::exception with a text for the terminal.
    explicit StoreSession(const Settings& settings, unsigned hashers = 1);
    ~StoreSession();

    KeyService& keys() noexcept { return service_; }
    KeyStore& key_store() noexcept { return stores_.keys(); }
    TenantStore& tenants() noexcept { return stores_.tenants(); }
    AuditLog& audit() noexcept { return stores_.audit(); }
    NodeRegistry& nodes() noexcept { return stores_.nodes(); }
    SecretVault& vault() noexcept { return stores_.vault(); }
    KeyImport import(Actor who);

    template <class T>
    T run(awaitable<T> work)
    {
        return gw::run(context_, std::move(work));
    }

private:
    asio::io_context context_{1};
    const unsigned hashers_;
    BlockingPool pool_{4}, hashing_;
    StoreMetrics metrics_;
    Stores stores_;
    PepperRing peppers_;
    KeyService service_;
};

} // namespace gw
